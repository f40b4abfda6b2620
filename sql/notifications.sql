-- Notifications; only the bus makes them.

-- name: announce
-- Once for each dedupe_key, with their events, for several tenants.
select app.bus_announce(:notifications)

-- name: announce_digests
-- Once for each dedupe_key too; those of a rule grow.
select app.bus_announce_digests(:notifications)

-- name: subjects
-- Whom and what the notifications of some events speak of, in their order.
-- It says also whether somebody else holds the conversation; the others are locked.
-- Bounded by the events given.
with asked as (
    select array_agg(user_id) as users, array_agg(conversation_id) as conversations
      from unnest(:users::uuid[], :conversations::uuid[]) as e (user_id, conversation_id)
     where conversation_id is not null
), busy as materialized (
    select app.bus_hold(users, conversations) as conversation_id from asked where users is not null
)
select s.locale, s.contact_id, s.contact_name, s.snippet,
       (:conversations::uuid[])[s.at] in (select conversation_id from busy) as busy
  from app.bus_subjects(:users, :conversations, :messages)
       with ordinality as s (locale, contact_id, contact_name, snippet, at)
 order by s.at

-- name: page
-- Newest first.
select notification_id as id, number, type, title, body, seen_at is not null as seen, seen_at,
       conversation_id, task_id, rule_id, contact_id, count, ids, created_at
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
       conversation_id, task_id, rule_id, contact_id, count, ids, created_at
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
          conversation_id, task_id, rule_id, contact_id, count, ids, created_at

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
       conversation_id, task_id, rule_id, contact_id, count, ids, created_at
  from app.notifications_after(:users, :numbers, :limit)

-- name: between
-- What a resuming stream has missed.
select notification_id as id, number, user_id, type, title, body, seen_at is not null as seen, seen_at,
       conversation_id, task_id, rule_id, contact_id, count, ids, created_at
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
