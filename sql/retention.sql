-- What is old goes: functions of the scanning role, since they cross tenants.

-- name: forget_old
-- One batch of a kind; how many.
select app.forget_old(:kind, now() - make_interval(secs => :age), :limit)

-- name: forget_matches
-- One batch of what rules have done, counted as it goes; how many.
select app.forget_old_matches(now() - make_interval(secs => :age), :limit)

-- name: forget_payloads
-- One batch of raw payloads; how many.
select app.forget_old_payloads(now() - make_interval(secs => :age), :limit)

-- name: forget_events
-- One batch of the log, from a place on; how many, and the place to go on from.
select removed, next_xid, next_number
  from app.forget_old_events(now() - make_interval(secs => :age), :consumers, :xid, :number, :limit)
