-- What was posted: ignored items, and the payloads of messages.

-- name: ignored
-- Newest first.
select ignored_id as id, channel_type as channel, provider, kind, reason, payload, received_at
  from ignored_items
 where user_id = :user_id
   and (:before_at::timestamptz is null or (received_at, ignored_id) < (:before_at, :before_id::uuid))
 order by received_at desc, ignored_id desc
 limit :limit

-- name: payload
-- As it was posted, every escape kept.
select payload::text from message_payloads where user_id = :user_id and message_id = :message_id
