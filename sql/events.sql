-- The event log, and what the bus asks of it.

-- name: record
-- In the transaction of the change: both are kept, or neither.
select app.record(:user_id, :type, :contact_id, :conversation_id, :message_id, :task_id, :payload)

-- name: page
-- Newest first.
select event_id as id, number, type, conversation_id, message_id, payload, created_at
  from ai_events
 where user_id = :user_id
   and (:type::text is null or type = :type)
   and (:conversation_id::uuid is null or conversation_id = :conversation_id)
   and (:before::bigint is null or number < :before)
 order by number desc
 limit :limit

-- name: join_bus
-- A consumer's cursors, made once.
select app.bus_join(:consumer)

-- name: read
-- What is new for a consumer in some buckets; the cursors move in the same transaction.
select e.*
  from unnest(:buckets::smallint[]) as b (bucket)
 cross join lateral app.bus_read(:consumer, b.bucket, :types, :limit) e

-- name: failed
-- Noted to be tried again.
select app.bus_failed(:consumer, :number, :user_id, :error, make_interval(secs => :wait_seconds), :most)

-- name: retry
-- One that waits for another attempt, locked.
select * from app.bus_retry(:consumer)

-- name: settled
-- It needs no more attempts.
select app.bus_settled(:consumer, :number)

-- name: dead
-- What was given up.
select * from app.bus_dead()

-- name: revive
-- Try what was given up again.
select app.bus_revive()
