-- Scans cross tenants: each is a function of the scanning role.

-- name: claim
-- True for the one replica that runs this slot.
select app.claim_scan(:scan, :slot)

-- name: overdue
-- How many were told, by bucket.
select bucket, found from app.scan_overdue(:now, :limit)

-- name: snoozed
-- How many were woken, by bucket.
select bucket, found from app.wake_snoozed(:now, :limit)

-- name: stalled
-- How many were told, by bucket.
select bucket, found from app.scan_stalled(:now, make_interval(secs => :after_seconds), :limit)

