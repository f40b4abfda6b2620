-- Payloads that could not be read.

-- name: add
-- Whole, with the reason.
insert into rejected_webhooks (user_id, rejected_id, channel_type, content_type, body, reason)
values (:user_id, :rejected_id, :channel_type, :content_type, :body, :reason)

-- name: keep_newest
-- A sender whom nobody understands posts for ever: the oldest go, but never the newest.
delete from rejected_webhooks r using (
        select rejected_id, row_number() over newest as place, sum(octet_length(body)) over newest as bytes
          from rejected_webhooks
         where user_id = :user_id
        window newest as (order by created_at desc, rejected_id desc)
    ) old
 where r.user_id = :user_id and r.rejected_id = old.rejected_id
   and old.place > 1 and (old.place > :most or old.bytes > :most_bytes)

-- name: page
-- Newest first; of a long body the beginning.
select rejected_id as id, channel_type, content_type, reason, substring(body from 1 for :shown::integer) as body,
       attempts, created_at
  from rejected_webhooks
 where user_id = :user_id
   and (:before_at::timestamptz is null or (created_at, rejected_id) < (:before_at, :before_id::uuid))
 order by created_at desc, rejected_id desc
 limit :limit

-- name: try_again
-- Counted, also when it fails again.
update rejected_webhooks
   set attempts = attempts + 1
 where user_id = :user_id and rejected_id = :rejected_id
returning body, content_type, channel_type

-- name: remove
-- Read after all, or not wanted.
delete from rejected_webhooks where user_id = :user_id and rejected_id = :rejected_id
