-- All that is kept for a user, or about one contact, as JSON: in the order of ids, page by page.

-- name: contacts
-- People.
select c.contact_id as id, to_jsonb(c) - '{user_id,norm}'::text[] || jsonb_build_object('identities', app.identities_of(c.user_id, c.contact_id)) as row
  from contacts c
 where c.user_id = :user_id and (:contact_id::uuid is null or c.contact_id = :contact_id) and c.contact_id > :after
 order by c.contact_id
 limit :limit

-- name: notes
-- What was noted of them.
select n.note_id as id, to_jsonb(n) - 'user_id' as row
  from contact_notes n
 where n.user_id = :user_id and (:contact_id::uuid is null or n.contact_id = :contact_id) and n.note_id > :after
 order by n.note_id
 limit :limit

-- name: conversations
-- Conversations.
select c.conversation_id as id, to_jsonb(c) - 'user_id' as row
  from conversations c
 where c.user_id = :user_id and (:contact_id::uuid is null or c.contact_id = :contact_id) and c.conversation_id > :after
 order by c.conversation_id
 limit :limit

-- name: messages
-- Messages of both sides: the next one, and what fits in beside it: `room` bytes of texts.
with listed as materialized (
    select m.*
      from messages m
     where m.user_id = :user_id and m.message_id > :after
       and (:contact_id::uuid is null or m.conversation_id = any (array(
                select c.conversation_id from conversations c
                 where c.user_id = :user_id and c.contact_id = :contact_id)))
     order by m.message_id
     limit :limit
)
select m.message_id as id, to_jsonb(m) - '{user_id,norm,claim,dedupe_key,bytes_before}'::text[] as row
  from (select *, sum(octet_length(body)) over (order by message_id) - octet_length(body) as bytes_before
          from listed) as m
 where m.bytes_before < :room
 order by m.message_id

-- name: tasks
-- Tasks.
select t.task_id as id, to_jsonb(t) - 'user_id' as row
  from tasks t
 where t.user_id = :user_id and (:contact_id::uuid is null or t.contact_id = :contact_id) and t.task_id > :after
 order by t.task_id
 limit :limit

-- name: notifications
-- Notifications.
select n.notification_id as id, to_jsonb(n) - '{user_id,dedupe_key}'::text[] as row
  from notifications n
 where n.user_id = :user_id and (:contact_id::uuid is null or n.contact_id = :contact_id) and n.notification_id > :after
 order by n.notification_id
 limit :limit

-- name: rules
-- Rules; no contact has any.
select r.rule_id as id, to_jsonb(r) - 'user_id' as row
  from rules r
 where r.user_id = :user_id and :contact_id::uuid is null and r.rule_id > :after
 order by r.rule_id
 limit :limit

-- name: flows
-- Flows; no contact has any.
select f.flow_id as id, to_jsonb(f) - 'user_id' as row
  from flows f
 where f.user_id = :user_id and :contact_id::uuid is null and f.flow_id > :after
 order by f.flow_id
 limit :limit

-- name: deliveries
-- How the parts of messages went out.
select d.delivery_id as id,
       to_jsonb(d) - '{user_id,payload,lane,number,lease_until,leased_by}'::text[] as row
  from deliveries d
 where d.user_id = :user_id and d.delivery_id > :after
   and (:contact_id::uuid is null or d.conversation_id = any (array(
            select c.conversation_id from conversations c where c.user_id = :user_id and c.contact_id = :contact_id)))
 order by d.delivery_id
 limit :limit

-- name: subscriptions
-- Who is told of events, without secrets; no contact has any.
select s.subscription_id as id, to_jsonb(s) - '{user_id,secret,previous_secret,headers}'::text[] as row
  from subscriptions s
 where s.user_id = :user_id and :contact_id::uuid is null and s.subscription_id > :after
 order by s.subscription_id
 limit :limit
