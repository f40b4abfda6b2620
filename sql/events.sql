-- The event log, and what the bus asks of it.

-- name: record
-- In the transaction of the change: both are kept, or neither.
select app.record(:user_id, :type, :contact_id, :conversation_id, :message_id, :task_id, :payload)

-- name: page
-- Newest first. What a message was classified as stands with the message: what it was at first; so do its id and handle.
select event_id as id, number, type, contact_id, conversation_id, message_id, task_id, created_at,
       case type
           when 'message.classified' then coalesce((
             select coalesce(m.first_classification, m.classification) from messages m
              where m.user_id = e.user_id and m.message_id = e.message_id), '{}') || payload
           when 'message.received' then coalesce((
             select jsonb_build_object('external_id', m.external_id, 'handle', c.handle)
               from messages m
               join conversations c on c.user_id = m.user_id and c.conversation_id = m.conversation_id
              where m.user_id = e.user_id and m.message_id = e.message_id), '{}') || payload
           else payload end as payload
  from ai_events e
 where user_id = :user_id
   and (:type::text is null or type = :type)
   and (:conversation_id::uuid is null or conversation_id = :conversation_id)
   and (:before::bigint is null or number < :before)
 order by number desc
 limit :limit

-- name: join_bus
-- A consumer's cursors, made once.
select app.bus_join(:consumer)

-- name: skip
-- Moves cursors past what is not wanted; where something waits to be read.
select * from app.bus_skip(:consumers, :wants, :users, :buckets)

-- name: read
-- What is new for some consumers in some buckets; the cursors move in the same transaction.
select * from app.bus_look(:consumers, :wants, :users, :buckets, :limit)

-- name: put_aside
-- To wait for their tenants' turns.
select app.bus_put_aside(:consumer, :users, :numbers)

-- name: turn
-- The first that wait, of the tenant who comes after the last one.
select * from app.bus_turn(:consumers, :last_user, :last_consumer, :limit)

-- name: done
-- They wait no longer.
select app.bus_done(:consumer, :user_id, :numbers)

-- name: failed
-- Noted to be tried again.
select app.bus_failed(:consumer, :number, :user_id, :error, make_interval(secs => :wait_seconds), :most)

-- name: retry
-- One that waits for another attempt, locked.
select * from app.bus_next_retry(:consumers)

-- name: settled
-- It needs no more attempts.
select app.bus_settled(:consumer, :number)

-- name: dead
-- What was given up, the latest of it.
select * from app.bus_dead() order by created_at desc, number desc limit :limit

-- name: state
-- How each consumer is doing.
-- Bounded by the consumers.
select * from app.bus_state()

-- name: revive
-- Try what was given up again.
select app.bus_revive()

-- name: here
-- Now, in this log: which log it is, and what of it can be seen.
select app.log_identity() as log, pg_current_snapshot()::text as seen,
       floor(greatest(extract(epoch from app.log_begins_at()), 0))::bigint as begins_at

-- name: following
-- What happened after a position, oldest first.
select e.*
  from app.events_after(:user_id, :seen::text::pg_snapshot, :upto::text::pg_snapshot, :after_number, :types::text[],
                        :conversation_id::uuid, :limit) e

-- name: look
-- What the streams of this process have not been handed; one row without an event where there is none.
with here as materialized (
    select coalesce(:upto::text::pg_snapshot, pg_current_snapshot()) as upto
)
select here.upto::text as upto, e.*
  from here
  left join lateral app.events_of_users(:users::uuid[], :seen::text::pg_snapshot, here.upto, :after_number, :limit) e on true
 order by e.number
