-- Contacts, and the channel identities that they are known by.

-- name: page
-- Newest first.
select c.contact_id as id, c.name, c.handle, c.channel_type, c.email, c.phone, c.notes, c.negotiation_enabled,
       c.negotiation_mode, c.base_price, c.custom_price, c.currency, c.vip, c.preferred_tone, c.opted_out_at, c.first_referral,
       c.last_referral, c.created_at, c.updated_at,
       app.identities_of(c.user_id, c.contact_id) as identities
  from contacts c
 where c.user_id = :user_id
   and (:q::text is null or c.contact_id = any (array(select app.search_contacts(:q))))
   and (:vip::boolean is null or c.vip = :vip)
   and (:opted_out::boolean is null or (c.opted_out_at is not null) = :opted_out)
   and (:channel::text is null or exists (
            select from contact_identities i
             where i.user_id = c.user_id and i.contact_id = c.contact_id and i.channel_type = :channel))
   and (:before_at::timestamptz is null or (c.created_at, c.contact_id) < (:before_at, :before_id::uuid))
 order by c.created_at desc, c.contact_id desc
 limit :limit

-- name: get
-- One, in the shape of the list.
select c.contact_id as id, c.name, c.handle, c.channel_type, c.email, c.phone, c.notes, c.negotiation_enabled,
       c.negotiation_mode, c.base_price, c.custom_price, c.currency, c.vip, c.preferred_tone, c.opted_out_at, c.first_referral,
       c.last_referral, c.created_at, c.updated_at,
       app.identities_of(c.user_id, c.contact_id) as identities
  from contacts c
 where c.user_id = :user_id and c.contact_id = :contact_id

-- name: add
-- Its identities follow in the same transaction.
insert into contacts (user_id, contact_id, name, handle, channel_type, email, phone, notes)
values (:user_id, :contact_id, :name, :handle, :channel_type, :email, :phone, :notes)

-- name: add_identity
-- The constraint contact_identities_handle_taken answers one that another contact has.
insert into contact_identities (user_id, channel_type, value, contact_id)
values (:user_id, :channel_type, :value, :contact_id)

-- name: hold_number
-- The same lock that a message from a number takes which is new in all ways to write it.
select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'contact', :user_id::uuid, :channel_type::text, min(way)), 0))
  from unnest(:ways::text[]) way

-- name: is_anothers
-- Whether another contact has a number, in one of the ways to write it.
select exists (
    select from contact_identities
     where user_id = :user_id and channel_type = :channel_type and value = any (:ways::text[])
       and contact_id <> :contact_id)

-- name: remove_identity
-- Of this contact only.
delete from contact_identities
 where user_id = :user_id and contact_id = :contact_id and channel_type = :channel_type and value = :value

-- name: identity_for
-- By which handle a contact is reached on a channel of a type: its own one first, then the oldest.
select i.value
  from contact_identities i
  join contacts c using (user_id, contact_id)
 where i.user_id = :user_id and i.contact_id = :contact_id and i.channel_type = :channel_type
 order by i.value = c.handle desc, i.created_at, i.value
 limit 1

-- name: update
-- The whole row, as the request left it.
update contacts
   set name                = :name,
       handle              = :handle,
       channel_type        = :channel_type,
       email               = :email,
       phone               = :phone,
       notes               = :notes,
       negotiation_enabled = :negotiation_enabled,
       negotiation_mode    = :negotiation_mode,
       base_price          = :base_price,
       custom_price        = :custom_price,
       currency            = :currency,
       vip                 = :vip,
       preferred_tone      = :preferred_tone,
       opted_out_at        = :opted_out_at,
       updated_at          = now()
 where user_id = :user_id and contact_id = :contact_id

-- name: hold
-- Locked for a change of what is read first.
select 1 from contacts where user_id = :user_id and contact_id = :contact_id for no key update

-- name: remove
-- With its conversations, tasks and notifications, by their keys.
delete from contacts where user_id = :user_id and contact_id = :contact_id

-- name: forget
-- What the log tells of it, and what was or is to be sent of that.
with bodies as (
    select event_id from webhook_bodies where user_id = :user_id and contact_id = :contact_id
     union all
    select event_id from ai_events where user_id = :user_id and contact_id = :contact_id
), sent as (
    delete from webhook_bodies where user_id = :user_id and event_id = any (array(select event_id from bodies))
)
delete from ai_events where user_id = :user_id and contact_id = :contact_id
