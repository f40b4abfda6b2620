-- Erasing a person: what names them is gone, what keeps them away is a hash.

-- name: messages_of
-- What the messages of a contact are known by, some at a time.
select h.type as channel_type, m.dedupe_key, m.external_id, m.sent_at, m.message_id
  from messages m
  join channels h on h.user_id = m.user_id and h.channel_id = m.channel_id
 where m.user_id = :user_id and m.conversation_id = :conversation_id
   and (m.sent_at, m.message_id) > (:after_at, :after_id::uuid)
 order by m.sent_at, m.message_id
 limit :limit

-- name: conversations_of
-- Their ids.
-- Bounded by the channels, of which a contact has a conversation each.
select conversation_id from conversations where user_id = :user_id and contact_id = :contact_id

-- name: identities_of
-- What the contact is known by.
-- Bounded by the few identities of a contact.
select channel_type, value from contact_identities where user_id = :user_id and contact_id = :contact_id

-- name: note
-- They stay erased.
insert into erasures (user_id, hash) select :user_id, h from unnest(:hashes::bytea[]) h on conflict do nothing

-- name: known
-- Which of these were erased.
-- Bounded by the hashes given.
select hash from erasures where user_id = :user_id and hash = any (:hashes::bytea[])

-- name: forget_updates
-- What was told of the contact's messages.
delete from message_updates u
 using unnest(:channel_types::text[], :external_ids::text[]) as m (channel_type, external_id)
 where u.user_id = :user_id and u.channel_type = m.channel_type and u.external_id = m.external_id

-- name: forget_updates_naming
-- What was told of messages that never came, where it names the contact.
delete from message_updates u
 where u.user_id = :user_id and exists (select from unnest(:words::text[]) w where position(w in u.payload::text) > 0)

-- name: forget_ignored
-- What was posted and is of no interest, where it names the contact.
delete from ignored_items i
 where i.user_id = :user_id and exists (select from unnest(:words::text[]) w where position(w in i.payload::text) > 0)

-- name: forget_rejected
-- What could not be read, where it names the contact.
delete from rejected_webhooks r
 where r.user_id = :user_id
   and exists (select from unnest(:words::text[]) w where position(convert_to(w, 'UTF8') in r.body) > 0)

-- name: forget_answers
-- Answers kept for repeated requests, where they are about the contact.
delete from idempotency_keys k
 where k.user_id = :user_id
   and exists (select from unnest(:words::text[]) w
                where position(w in k.path) > 0 or position(convert_to(w, 'UTF8') in k.answer) > 0)

-- name: forget_tasks
-- Those of the contact's conversations that do not name the contact.
delete from tasks where user_id = :user_id and conversation_id = any (:conversations::uuid[])

-- name: forget_attempts
-- What the bus has put aside of the contact's events.
select app.forget_own_attempts(array(
    select number from ai_events
     where user_id = :user_id and (contact_id = :contact_id or conversation_id = any (:conversations::uuid[]))))

-- name: forget_events
-- What the log tells of the contact's conversations without naming the contact.
delete from ai_events where user_id = :user_id and conversation_id = any (:conversations::uuid[])

-- name: forget_account
-- What hangs on no key of the tenant.
select app.forget_own_traces(), app.forget_own_failures()

-- name: forget_history
-- Messages and events of the account, the oldest first; how many of the more numerous ones.
with told as (
    delete from ai_events
     where user_id = :user_id
       and number = any (array(select number from ai_events where user_id = :user_id order by number limit :limit))
    returning number
), written as (
    delete from messages
     where user_id = :user_id
       and message_id = any (array(
               select message_id from messages where user_id = :user_id order by message_id limit :limit))
    returning message_id
)
select greatest((select count(*) from told), (select count(*) from written))

-- name: forget_channel
-- Some messages of a channel; how many.
with written as (
    delete from messages
     where user_id = :user_id
       and message_id = any (array(
               select m.message_id
                 from conversations c
                 join messages m on m.user_id = c.user_id and m.conversation_id = c.conversation_id
                where c.user_id = :user_id and c.channel_id = :channel_id
                limit :limit))
    returning message_id
)
select count(*) from written
