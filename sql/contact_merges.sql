-- Merging two contacts (app.merge_contacts, which notes what it moved), and parting them again: statements named
-- return_* take the noted back together with what has come since.

-- name: alone
-- No message is being taken in meanwhile: it could be written to the contact who is just leaving.
select pg_advisory_xact_lock(app.people_lock(:user_id))

-- name: hold
-- Those that are there, locked in the order of their ids against changes.
-- Bounded by the ids given, which are two.
select contact_id
  from contacts
 where user_id = :user_id and contact_id = any (:contact_ids::uuid[])
 order by contact_id
   for no key update

-- name: merge
-- All of one contact goes over to another; noted, and told.
select app.merge_contacts(:user_id, :contact_id, :merged_id, false)

-- name: newest
-- The one to undo first.
select merged_id, filled, merged_at, conversations, tasks, notes, notifications, events, merges
  from contact_merges
 where user_id = :user_id and contact_id = :contact_id
 order by merged_at desc, merged_id desc
 limit 1

-- name: bring_back
-- The contact that went, under its old id; its columns are named since one of the table's is generated.
insert into contacts (user_id, contact_id, name, handle, channel_type, email, phone, notes, negotiation_enabled,
                      negotiation_mode, base_price, custom_price, currency, vip, preferred_tone, opted_out_at,
                      first_referral, last_referral, created_at, updated_at)
select m.user_id, c.contact_id, c.name, c.handle, c.channel_type, c.email, c.phone, c.notes, c.negotiation_enabled,
       c.negotiation_mode, c.base_price, c.custom_price, c.currency, c.vip, c.preferred_tone, c.opted_out_at,
       c.first_referral, c.last_referral, c.created_at, c.updated_at
  from contact_merges m
 cross join lateral jsonb_populate_record(null::contacts, m.contact) c
 where m.user_id = :user_id and m.merged_id = :merged_id

-- name: return_identities
-- Its own, as they were, and those that were recognised by one of them since.
update contact_identities i
   set contact_id = :merged_id,
       matched_as = case when i.value = known.value then known.matched_as else i.matched_as end
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

-- name: return_notes
-- Its own; what was noted since stays.
update contact_notes
   set contact_id = :merged_id
 where user_id = :user_id and contact_id = :contact_id and note_id = any (:notes::uuid[])

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

-- name: empty_filled
-- What the kept contact had taken over, where nobody has changed it since.
update contacts c
   set name           = case when c.name           = f.name           then null else c.name           end,
       email          = case when c.email          = f.email          then null else c.email          end,
       phone          = case when c.phone          = f.phone          then null else c.phone          end,
       notes          = case when c.notes          = f.notes          then null else c.notes          end,
       base_price     = case when c.base_price     = f.base_price     then null else c.base_price     end,
       custom_price   = case when c.custom_price   = f.custom_price   then null else c.custom_price   end,
       currency       = case when c.currency       = f.currency       then null else c.currency       end,
       opted_out_at   = case when c.opted_out_at   = f.opted_out_at   then null else c.opted_out_at   end,
       first_referral = case when c.first_referral = f.first_referral then null else c.first_referral end,
       last_referral  = case when c.last_referral  = f.last_referral  then null else c.last_referral  end,
       updated_at     = now()
  from jsonb_populate_record(null::contacts, :filled) f
 where c.user_id = :user_id and c.contact_id = :contact_id

-- name: keep_parted
-- What a payload tells together joins them no more; both ways round.
insert into parted_identities (user_id, channel_type, value, other)
select :user_id, i.channel_type, i.value, o.value
  from contact_identities i
  join contact_identities o on o.user_id = i.user_id and o.channel_type = i.channel_type
 where i.user_id = :user_id
   and (i.contact_id, o.contact_id) in ((:contact_id::uuid, :merged_id::uuid), (:merged_id, :contact_id))
    on conflict do nothing

-- name: identity_count
-- A contact needs at least one.
select count(*) from contact_identities where user_id = :user_id and contact_id = :contact_id
