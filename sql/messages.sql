-- Messages as their conversation shows them.

-- part: rest
message_id as id, conversation_id, direction, octet_length(body) as size, attachments, sent_at, created_at, external_id, reply_to_id,
       status, error, failure,
       case when delivery ->> 'state' = 'waiting' then app.delivery_of(user_id, message_id, delivery) else delivery end
       as delivery, scheduled_at, cancel_on_reply, template, edited_at, deleted_at, reactions,
       classification, subject, referral, "order",
       coalesce(author, case when direction = 'outbound' then 'person' end) as author,
       coalesce(source, case when direction = 'outbound' then 'api' end) as source, user_id,
       case when attachments <> '[]' then (
         select jsonb_object_agg(d.position, jsonb_build_object('state', d.state, 'size', d.size, 'error', d.error,
                                                                'mime_type', d.mime_type, 'file_name', d.file_name))
           from media d where d.user_id = messages.user_id and d.message_id = messages.message_id) end as files
  from messages

-- name: page
-- Newest first by the sender's time; ties by id.
-- The first, and what fits in beside it: `room` bytes of texts. `beyond` counts those that were found after a row.
with listed as materialized (
    select body, {{rest}}
     where user_id = :user_id
       and conversation_id = :conversation_id
       and (:before_at::timestamptz is null or (sent_at, message_id) < (:before_at, :before_id::uuid))
     order by sent_at desc, message_id desc
     limit :limit
)
select *
  from (select *, sum(size) over place - size as bytes_before, count(*) over () - row_number() over place as beyond
          from listed window place as (order by sent_at desc, id desc)) as sized
 where bytes_before < :room
 order by sent_at desc, id desc

-- name: newer
-- Those after one of them, oldest first.
with listed as materialized (
    select body, {{rest}}
     where user_id = :user_id
       and conversation_id = :conversation_id
       and (sent_at, message_id) > (:after_at, :after_id::uuid)
     order by sent_at, message_id
     limit :limit
)
select *
  from (select *, sum(size) over place - size as bytes_before, count(*) over () - row_number() over place as beyond
          from listed window place as (order by sent_at, id)) as sized
 where bytes_before < :room
 order by sent_at, id

-- name: key
-- Where a message stands in its conversation.
select sent_at, message_id as id
  from messages
 where user_id = :user_id and conversation_id = :conversation_id and message_id = :message_id

-- name: get
-- One.
select body, {{rest}}
 where user_id = :user_id and message_id = :message_id

-- name: list
-- Newest first: ids are in the order of their making.
with listed as materialized (
    select body, {{rest}}
     where user_id = :user_id
       and (:status::text is null or status = :status)
       and (:direction::text is null or direction = :direction)
       and (:channel_id::uuid is null or channel_id = :channel_id)
       and (:conversation_id::uuid is null or conversation_id = :conversation_id)
       and (:before::uuid is null or message_id < :before)
     order by message_id desc
     limit :limit
)
select *
  from (select *, sum(size) over place - size as bytes_before, count(*) over () - row_number() over place as beyond
          from listed window place as (order by id desc)) as sized
 where bytes_before < :room
 order by id desc

-- name: told
-- One as events tell of it; of a text that is cut there no more than shows that it has to be.
-- Bounded by the ids given.
select left(body, :longest::integer) as body, first_classification, {{rest}}
 where user_id = :user_id and message_id = :message_id

-- name: several
-- Those with these ids.
-- Bounded by the ids given.
select body, {{rest}}
 where user_id = :user_id and message_id = any (:ids::uuid[])

-- name: is_in
-- Whether a message belongs to a conversation.
select exists (
    select from messages
     where user_id = :user_id and message_id = :message_id and conversation_id = :conversation_id
)

-- name: forget_unknown
-- What was told of messages that are not there, and is too much to be kept.
delete from message_updates
 where user_id = :user_id
   and (channel_type, external_id, kind, detail)
       in (select * from unnest(:types::text[], :targets::text[], :kinds::text[], :details::text[]))
