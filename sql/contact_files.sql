-- Contacts on their way to and from a file.

-- name: alone
-- One import or merge at a time: a merge takes people away whom the import has found.
select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'import', :user_id::uuid), 0))

-- name: hold_known
-- Those who have one of these identities, locked in the order of their ids.
-- Bounded by the rows of a file. Each is looked up by its key: for a tenant who had nobody when the tables were last
-- analysed, a join would be planned for one row, and go through all of them for each.
select c.contact_id
  from (select distinct i.contact_id
          from unnest(:types::text[], :values::text[]) as given (channel_type, value)
          join contact_identities i using (channel_type, value)
         where i.user_id = :user_id
         order by i.contact_id) as known
 cross join lateral (
        select contact_id from contacts where user_id = :user_id and contact_id = known.contact_id
           for no key update) as c

-- name: known
-- The same, as they are now that they are held.
-- Bounded by the rows of a file.
select c.contact_id as id, c.name, c.email, c.phone, c.notes, c.negotiation_enabled, c.negotiation_mode, c.base_price,
       c.custom_price, c.currency, c.vip, c.preferred_tone, app.identities_of(c.user_id, c.contact_id) as identities
  from (select distinct i.contact_id
          from unnest(:types::text[], :values::text[]) as given (channel_type, value)
          join contact_identities i using (channel_type, value)
         where i.user_id = :user_id) as known
 cross join lateral (
        select * from contacts where user_id = :user_id and contact_id = known.contact_id offset 0) as c

-- name: add
-- Some new ones; their identities follow.
insert into contacts (user_id, contact_id, name, handle, channel_type, email, phone, notes, negotiation_enabled,
                      negotiation_mode, base_price, custom_price, currency, vip, preferred_tone)
select :user_id, p.*
  from jsonb_to_recordset(:people) as p (
           contact_id uuid, name text, handle text, channel_type text, email text, phone text, notes text,
           negotiation_enabled boolean, negotiation_mode text, base_price numeric, custom_price numeric, currency text,
           vip boolean, preferred_tone text)

-- name: change
-- Some changed ones.
update contacts c
   set name                = p.name,
       email               = p.email,
       phone               = p.phone,
       notes               = p.notes,
       negotiation_enabled = p.negotiation_enabled,
       negotiation_mode    = p.negotiation_mode,
       base_price          = p.base_price,
       custom_price        = p.custom_price,
       currency            = p.currency,
       vip                 = p.vip,
       preferred_tone      = p.preferred_tone,
       updated_at          = now()
  from jsonb_to_recordset(:people) as p (
           contact_id uuid, name text, email text, phone text, notes text, negotiation_enabled boolean,
           negotiation_mode text, base_price numeric, custom_price numeric, currency text, vip boolean,
           preferred_tone text)
 where c.user_id = :user_id and c.contact_id = p.contact_id

-- name: add_identities
-- In the order in which batches of messages take them; the constraint answers one that came meanwhile.
-- Their age keeps the order in which the file names them.
insert into contact_identities (user_id, channel_type, value, contact_id, created_at)
select :user_id, i.channel_type, i.value, i.contact_id, now() + i.place * interval '1 microsecond'
  from jsonb_to_recordset(:identities) as i (channel_type text, value text, contact_id uuid, place integer)
 order by i.channel_type, i.value

-- name: tell
-- The events of the new ones.
insert into ai_events (user_id, type, contact_id)
select :user_id, 'contact.created', contact_id from unnest(:contact_ids::uuid[]) contact_id
