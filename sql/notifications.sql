-- Notifications; only the bus makes them.

-- part: shown
notification_id as id, number, type, title, body, seen_at is not null as seen, seen_at,
       conversation_id, task_id, rule_id, contact_id, count, ids, created_at

-- name: notify
-- Those of some events, each once; the numbers of events that are left, since somebody else holds their conversation.
select app.bus_notify(:events, :titles)

-- name: tell
-- Those of what is new for a consumer in some buckets, its cursors moved past them, and what streams have not shown yet.
select t.buckets, t.more, t.backlog, user_id, {{shown}}
  from app.bus_tell(:consumer, :wants, :buckets, :limit, :titles, :users, :numbers, :most) t
 cross join lateral (select (t.told).*) n

-- name: page
-- Newest first.
select {{shown}}
  from notifications
 where user_id = :user_id
   and (:seen::boolean is null or (seen_at is not null) = :seen)
   and (:type::text is null or type = :type)
   and (:before::bigint is null or number < :before)
 order by number desc
 limit :limit

-- name: get
-- One, in the shape of the list.
select {{shown}}
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
returning {{shown}}

-- name: mark_seen
-- Several, or all where ids is null.
update notifications
   set seen_at = now()
 where user_id = :user_id
   and seen_at is null
   and (:ids::uuid[] is null or notification_id = any (:ids))

-- name: after
-- For the streams of this process: what each user has not been shown.
select user_id, {{shown}}
  from app.notifications_after(:users, :numbers, :limit)

-- name: between
-- What a resuming stream has missed.
select user_id, {{shown}}
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
