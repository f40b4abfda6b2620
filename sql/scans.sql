-- Scans cross tenants: each is a function of the scanning role.

-- name: claim
-- True for the one replica that runs this slot.
select app.claim_scan(:scan, :slot)

-- name: alone
-- Until the transaction ends nobody else runs this scan: what it finds is told of together.
select pg_try_advisory_xact_lock(hashtextextended('scan ' || :scan::text, 0))

-- name: begin_overdue
-- Whose tasks are so many that they are told of together.
select app.begin_overdue(:now, :scan_id)

-- name: begin_stalled
-- Whose silent conversations are.
select app.begin_stalled(:now, make_interval(secs => :after_seconds), :scan_id)

-- name: overdue
-- How many were told, by bucket; a row that counts none where some were passed over.
select bucket, found from app.scan_overdue(:now, :limit, :scan_id)

-- name: snoozed
-- How many were woken, by bucket.
select bucket, found from app.wake_snoozed(:now, :limit)

-- name: stalled
-- How many were told, by bucket.
select bucket, found from app.scan_stalled(:now, make_interval(secs => :after_seconds), :limit, :scan_id)

