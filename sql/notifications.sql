-- Notifications; only the bus makes them.

-- name: announce
-- Once for each dedupe_key.
insert into notifications (user_id, type, dedupe_key, title, body, contact_id, conversation_id, message_id, task_id, rule_id)
select :user_id, :type, :dedupe_key, :title, :body, :contact_id::uuid, :conversation_id, :message_id, :task_id, :rule_id
 where :contact_id::uuid is null
    or exists (select from contacts where user_id = :user_id and contact_id = :contact_id)
    on conflict (user_id, dedupe_key) do nothing
returning notification_id

-- name: subject
-- Whom and what a notification speaks of.
select u.locale, c.contact_id,
       coalesce(c.name, c.handle) as contact_name,
       case when m.message_id is null then v.snippet else app.snippet(m.body, m.attachments) end as snippet
  from users u
  left join conversations v on v.user_id = u.user_id and v.conversation_id = :conversation_id::uuid
  left join contacts c on c.user_id = u.user_id and c.contact_id = v.contact_id
  left join messages m on m.user_id = u.user_id and m.message_id = :message_id::uuid
 where u.user_id = :user_id

-- name: page
-- Newest first.
select notification_id as id, number, type, title, body, seen_at is not null as seen, seen_at,
       conversation_id, task_id, rule_id, contact_id, created_at
  from notifications
 where user_id = :user_id
   and (:seen::boolean is null or (seen_at is not null) = :seen)
   and (:type::text is null or type = :type)
   and (:before::bigint is null or number < :before)
 order by number desc
 limit :limit

-- name: get
-- One, in the shape of the list.
select notification_id as id, number, type, title, body, seen_at is not null as seen, seen_at,
       conversation_id, task_id, rule_id, contact_id, created_at
  from notifications
 where user_id = :user_id and notification_id = :notification_id

-- name: unseen_count
-- Of all, whatever the filter of the list.
select count(*) from notifications where user_id = :user_id and seen_at is null

-- name: mark
-- Seen stays at the first time that it was seen.
update notifications
   set seen_at = case when :seen::boolean then coalesce(seen_at, now()) end
 where user_id = :user_id and notification_id = :notification_id
returning notification_id as id, number, type, title, body, seen_at is not null as seen, seen_at,
          conversation_id, task_id, rule_id, contact_id, created_at

-- name: mark_seen
-- Several, or all where ids is null.
update notifications
   set seen_at = now()
 where user_id = :user_id
   and seen_at is null
   and (:ids::uuid[] is null or notification_id = any (:ids))

-- name: after
-- For the streams of this process: what each user has not been shown.
select notification_id as id, number, user_id, type, title, body, seen_at is not null as seen, seen_at,
       conversation_id, task_id, rule_id, contact_id, created_at
  from app.notifications_after(:users, :numbers, :limit)

-- name: between
-- What a resuming stream has missed.
select notification_id as id, number, user_id, type, title, body, seen_at is not null as seen, seen_at,
       conversation_id, task_id, rule_id, contact_id, created_at
  from notifications
 where user_id = :user_id and number > :after and number <= :upto
 order by number
 limit :limit

-- name: newest_number
-- Where a stream that asks for no past begins.
select coalesce(max(number), 0) from notifications where user_id = :user_id

-- name: number_of
-- Where a stream that was cut off goes on; one that is gone is placed by the time in its id.
select coalesce(
    (select number from notifications where user_id = :user_id and notification_id = :notification_id),
    (select max(number) from notifications where user_id = :user_id and notification_id < :notification_id),
    0)
