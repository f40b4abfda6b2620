-- Merging two contacts, and parting them again. What belongs to a person follows in statements named move_*, which
-- note what they moved, and return_*, which take the noted back together with what has come since.

-- name: alone
-- No message is being taken in meanwhile: it could be written to the contact who is just leaving.
select pg_advisory_xact_lock(app.people_lock(:user_id))

-- name: hold
-- Those that are there, locked in the order of their ids against changes.
select contact_id
  from contacts
 where user_id = :user_id and contact_id = any (:contact_ids::uuid[])
 order by contact_id
   for no key update

-- name: note
-- The one that goes, as it is.
insert into contact_merges (user_id, merged_id, contact_id, filled, contact, identities)
select c.user_id, c.contact_id, :contact_id, :filled, to_jsonb(c) - 'norm',
       (select coalesce(jsonb_agg(to_jsonb(i)), '[]')
          from contact_identities i
         where i.user_id = c.user_id and i.contact_id = c.contact_id)
  from contacts c
 where c.user_id = :user_id and c.contact_id = :merged_id

-- name: move_identities
-- They are noted with their contact.
update contact_identities
   set contact_id = :contact_id
 where user_id = :user_id and contact_id = :merged_id

-- name: move_conversations
-- Unique by channel and handle, so they never collide.
with moved as (
    update conversations
       set contact_id = :contact_id
     where user_id = :user_id and contact_id = :merged_id
    returning conversation_id
)
update contact_merges
   set conversations = array(select conversation_id from moved)
 where user_id = :user_id and merged_id = :merged_id

-- name: move_tasks
-- Noted one by one: a task may be about no conversation.
with moved as (
    update tasks
       set contact_id = :contact_id
     where user_id = :user_id and contact_id = :merged_id
    returning task_id
)
update contact_merges
   set tasks = array(select task_id from moved)
 where user_id = :user_id and merged_id = :merged_id

-- name: move_notifications
-- Those of a conversation follow it; the others are noted.
with moved as (
    update notifications
       set contact_id = :contact_id
     where user_id = :user_id and contact_id = :merged_id
    returning notification_id, conversation_id
)
update contact_merges m
   set notifications = array(select notification_id from moved where conversation_id = any (m.conversations) is not true)
 where m.user_id = :user_id and m.merged_id = :merged_id

-- name: move_events
-- Those of a conversation follow it; the others are noted.
with moved as (
    update ai_events
       set contact_id = :contact_id
     where user_id = :user_id and contact_id = :merged_id
    returning number, conversation_id
)
update contact_merges m
   set events = array(select number from moved where conversation_id = any (m.conversations) is not true)
 where m.user_id = :user_id and m.merged_id = :merged_id

-- name: move_merges
-- Merges into the one that goes can still be undone.
with moved as (
    update contact_merges
       set contact_id = :contact_id
     where user_id = :user_id and contact_id = :merged_id
    returning merged_id
)
update contact_merges
   set merges = array(select merged_id from moved)
 where user_id = :user_id and merged_id = :merged_id

-- name: newest
-- The one to undo first.
select merged_id, filled, merged_at, conversations, tasks, notifications, events, merges
  from contact_merges
 where user_id = :user_id and contact_id = :contact_id
 order by merged_at desc, merged_id desc
 limit 1

-- name: bring_back
-- The contact that went, under its old id; its columns are named since one of the table's is generated.
insert into contacts (user_id, contact_id, name, handle, channel_type, email, phone, notes, negotiation_enabled,
                      negotiation_mode, base_price, custom_price, currency, vip, preferred_tone, created_at, updated_at)
select c.user_id, c.contact_id, c.name, c.handle, c.channel_type, c.email, c.phone, c.notes, c.negotiation_enabled,
       c.negotiation_mode, c.base_price, c.custom_price, c.currency, c.vip, c.preferred_tone, c.created_at, c.updated_at
  from contact_merges m
 cross join lateral jsonb_populate_record(null::contacts, m.contact) c
 where m.user_id = :user_id and m.merged_id = :merged_id

-- name: return_identities
-- Its own, and those that were recognised by one of them since.
update contact_identities i
   set contact_id = :merged_id
  from contact_merges m
 cross join lateral jsonb_populate_recordset(null::contact_identities, m.identities) known
 where m.user_id = :user_id and m.merged_id = :merged_id
   and i.user_id = :user_id and i.contact_id = :contact_id
   and i.channel_type = known.channel_type and known.value in (i.value, i.matched_as)

-- name: restore_identities
-- Those that were taken away since; the key answers one that somebody else has now.
insert into contact_identities (user_id, channel_type, value, contact_id, matched_as, created_at)
select known.user_id, known.channel_type, known.value, :merged_id, known.matched_as, known.created_at
  from contact_merges m
 cross join lateral jsonb_populate_recordset(null::contact_identities, m.identities) known
 where m.user_id = :user_id and m.merged_id = :merged_id
   and not exists (
        select from contact_identities i
         where i.user_id = :user_id and i.contact_id = :merged_id
           and i.channel_type = known.channel_type and i.value = known.value)

-- name: return_conversations
-- Its own, and those that have begun since under one of its identities.
update conversations c
   set contact_id = :merged_id
  from channels h
 where c.user_id = :user_id and c.contact_id = :contact_id
   and h.user_id = c.user_id and h.channel_id = c.channel_id
   and (c.conversation_id = any (:conversations::uuid[]) or exists (
        select from contact_identities i
         where i.user_id = :user_id and i.contact_id = :merged_id
           and i.channel_type = h.type and i.value = c.handle))

-- name: return_tasks
-- Its own, and those that were made since in one of its conversations.
update tasks
   set contact_id = :merged_id
 where user_id = :user_id and contact_id = :contact_id
   and (task_id = any (:tasks::uuid[])
        or (created_at >= :since and conversation_id in (
                select conversation_id from conversations where user_id = :user_id and contact_id = :merged_id)))

-- name: return_notifications
-- Its own, and those of its conversations and tasks.
update notifications
   set contact_id = :merged_id
 where user_id = :user_id and contact_id = :contact_id
   and (notification_id = any (:notifications::uuid[])
        or task_id = any (:tasks::uuid[])
        or conversation_id in (
                select conversation_id from conversations where user_id = :user_id and contact_id = :merged_id))

-- name: return_events
-- Its own, and those of its conversations, also of one whose channel was removed since, and tasks.
update ai_events
   set contact_id = :merged_id
 where user_id = :user_id and contact_id = :contact_id
   and (number = any (:events::bigint[])
        or task_id = any (:tasks::uuid[])
        or conversation_id = any (:conversations::uuid[])
        or conversation_id in (
                select conversation_id from conversations where user_id = :user_id and contact_id = :merged_id))

-- name: return_merges
-- They are its own again.
update contact_merges
   set contact_id = :merged_id
 where user_id = :user_id and contact_id = :contact_id and merged_id = any (:merges::uuid[])

-- name: forget
-- Undone.
delete from contact_merges where user_id = :user_id and merged_id = :merged_id

-- name: newest_match
-- The identity that was last recognised as another way to write one of this contact's.
select channel_type, value
  from contact_identities i
 where i.user_id = :user_id and i.contact_id = :contact_id and i.matched_as is not null
   and exists (
        select from contact_identities o
         where o.user_id = i.user_id and o.contact_id = i.contact_id
           and (o.channel_type, o.value) <> (i.channel_type, i.value))
 order by i.created_at desc, i.value desc
 limit 1

-- name: part
-- An identity goes to a contact of its own; neither side is a match of the other any more.
update contact_identities
   set contact_id = case when value = :value then :merged_id else contact_id end,
       matched_as = null
 where user_id = :user_id and contact_id = :contact_id and channel_type = :channel_type
   and :value in (value, matched_as)

-- name: mend_handle
-- Where the handle was one of the identities that left: the oldest that is left.
update contacts c
   set handle = oldest.value, channel_type = oldest.channel_type
  from (select i.channel_type, i.value
          from contact_identities i
         where i.user_id = :user_id and i.contact_id = :contact_id
         order by i.created_at, i.value
         limit 1) oldest
 where c.user_id = :user_id and c.contact_id = :contact_id
   and not exists (
        select from contact_identities i
         where i.user_id = c.user_id and i.contact_id = c.contact_id
           and i.channel_type = c.channel_type and i.value = c.handle)

-- name: identity_count
-- A contact needs at least one.
select count(*) from contact_identities where user_id = :user_id and contact_id = :contact_id
