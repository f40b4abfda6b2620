-- What was posted: ignored items, and the payloads of messages.

-- name: ignored
-- Newest first: the first, and what fits in beside it.
with listed as materialized (
    select ignored_id as id, channel_type as channel, provider, kind, reason, payload, received_at, size
      from ignored_items
     where user_id = :user_id
       and (:before_at::timestamptz is null or (received_at, ignored_id) < (:before_at, :before_id::uuid))
     order by received_at desc, ignored_id desc
     limit :limit
)
select *
  from (select *, sum(size) over place - size as bytes_before, count(*) over () - row_number() over place as beyond
          from listed window place as (order by received_at desc, id desc)) as sized
 where bytes_before < :room
 order by received_at desc, id desc

-- name: payload
-- As it was posted, every escape kept.
select payload::text from message_payloads where user_id = :user_id and message_id = :message_id
