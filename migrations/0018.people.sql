-- depends: 0017.authors

-- Identities that a payload tells together are one person, unless somebody has parted them.
-- Both ways round, so that one look finds a pair; they go with either identity.
create table parted_identities (
    user_id      uuid        not null,
    channel_type text        not null,
    value        text        not null,
    other        text        not null,
    created_at   timestamptz not null default now(),
    constraint parted_identities_key primary key (user_id, channel_type, value, other),
    constraint parted_identities_value foreign key (user_id, channel_type, value)
        references contact_identities (user_id, channel_type, value) on delete cascade,
    constraint parted_identities_other foreign key (user_id, channel_type, other)
        references contact_identities (user_id, channel_type, value) on delete cascade
);

create index parted_identities_by_other on parted_identities (user_id, channel_type, other);

alter table parted_identities enable row level security;

alter table parted_identities force row level security;

create policy parted_identities_own on parted_identities
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on parted_identities to alfred_app;

comment on column contact_identities.matched_as is
    'the identity that this one was recognised by: another way to write it, or one that was told beside it';

-- A person has one of each kind: a number, a privacy id, a business-scoped user id.
create function app.identity_kind(p_value text) returns text
language sql immutable
as $$ select case when p_value like '+%' then 'number' when p_value like '%@lid' then 'lid' else 'user_id' end $$;

-- Whether a contact may have one identity more (p_values: in all ways to write it): it has none of this kind, and
-- nobody has parted it from one that the contact has.
create function app.may_have(p_user uuid, p_type text, p_contact uuid, p_values text[]) returns boolean
language sql stable
as $$
    select not exists (
        select from contact_identities i
         where i.user_id = p_user and i.contact_id = p_contact and i.channel_type = p_type
           and ((app.identity_kind(i.value) = app.identity_kind(p_values[1]) and i.value <> all (p_values))
                or exists (
                    select from parted_identities p
                     where p.user_id = p_user and p.channel_type = p_type
                       and p.value = i.value and p.other = any (p_values))))
$$;

-- Whether two contacts may be taken for one person: no kind of identity twice, and none parted from one of the other's.
-- p_handles are ways to write one number.
create function app.may_be_one(p_user uuid, p_type text, p_one uuid, p_two uuid, p_handles text[]) returns boolean
language sql stable
as $$
    select not exists (
        select from contact_identities i
          join contact_identities o on o.user_id = i.user_id and o.channel_type = i.channel_type and o.contact_id = p_two
         where i.user_id = p_user and i.contact_id = p_one and i.channel_type = p_type
           and ((app.identity_kind(i.value) = app.identity_kind(o.value)
                 and not (i.value = any (p_handles) and o.value = any (p_handles)))
                or exists (
                    select from parted_identities p
                     where p.user_id = i.user_id and p.channel_type = i.channel_type
                       and p.value = i.value and p.other = o.value)))
$$;

-- Everything about one contact goes over to another, who also takes what it lacks itself (prices only where they mean
-- the same money); then the one is gone. Both rows are locked by the caller. What is noted undoes it.
create function app.merge_contacts(p_user uuid, p_kept uuid, p_gone uuid, p_automatic boolean) returns void
language plpgsql volatile
as $$
declare
    v_kept     contacts;
    v_gone     contacts;
    v_currency text := (select currency from users where user_id = p_user);
    v_money    boolean;
    v_filled   jsonb;
begin
    select * into v_kept from contacts where user_id = p_user and contact_id = p_kept;
    select * into v_gone from contacts where user_id = p_user and contact_id = p_gone;
    v_money := coalesce(v_kept.currency, v_currency) = coalesce(v_gone.currency, v_currency)
            or coalesce(v_kept.currency, v_kept.base_price::text, v_kept.custom_price::text) is null;
    select coalesce(jsonb_object_agg(w.name, w.value), '{}') into v_filled
      from jsonb_each(to_jsonb(v_gone)) w (name, value)
     where w.name = any (array['name', 'email', 'phone', 'notes', 'opted_out_at', 'first_referral', 'last_referral']
                         || case when v_money then array['base_price', 'custom_price', 'currency'] else '{}' end)
       and w.value <> 'null' and to_jsonb(v_kept) -> w.name = 'null';
    insert into contact_merges (user_id, merged_id, contact_id, filled, contact, identities)
    values (p_user, p_gone, p_kept, v_filled, to_jsonb(v_gone) - 'norm', (
        select coalesce(jsonb_agg(to_jsonb(i)), '[]') from contact_identities i
         where i.user_id = p_user and i.contact_id = p_gone));
    delete from parted_identities p
     using contact_identities i, contact_identities o
     where p.user_id = p_user and i.user_id = p_user and o.user_id = p_user
       and i.contact_id in (p_kept, p_gone) and o.contact_id in (p_kept, p_gone)
       and p.channel_type = i.channel_type and p.value = i.value
       and o.channel_type = p.channel_type and o.value = p.other;
    update contact_identities set contact_id = p_kept where user_id = p_user and contact_id = p_gone;
    perform app.move_to_contact(p_user, p_kept, p_gone);
    delete from contacts where user_id = p_user and contact_id = p_gone;
    update contacts c
       set name           = coalesce(c.name, f.name),
           email          = coalesce(c.email, f.email),
           phone          = coalesce(c.phone, f.phone),
           notes          = coalesce(c.notes, f.notes),
           base_price     = coalesce(c.base_price, f.base_price),
           custom_price   = coalesce(c.custom_price, f.custom_price),
           currency       = coalesce(c.currency, f.currency),
           opted_out_at   = coalesce(c.opted_out_at, f.opted_out_at),
           first_referral = coalesce(c.first_referral, f.first_referral),
           last_referral  = coalesce(c.last_referral, f.last_referral),
           updated_at     = now()
      from jsonb_populate_record(null::contacts, v_filled) f
     where c.user_id = p_user and c.contact_id = p_kept;
    perform app.record(p_user, 'contact.merged', p_kept, null, null, null, jsonb_build_object(
        'merged_id', p_gone, 'name', coalesce(v_kept.name, v_gone.name), 'handle', v_kept.handle,
        'automatic', p_automatic));
end $$;

-- What follows a person: each statement notes what it moved. Conversations are unique by channel and handle, so they
-- never collide; notifications and events of a conversation follow it, the others are noted one by one.
create function app.move_to_contact(p_user uuid, p_kept uuid, p_gone uuid) returns void
language plpgsql volatile
as $$
begin
    with moved as (
        update conversations set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning conversation_id
    )
    update contact_merges set conversations = array(select conversation_id from moved)
     where user_id = p_user and merged_id = p_gone;
    with moved as (
        update tasks set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning task_id
    )
    update contact_merges set tasks = array(select task_id from moved)
     where user_id = p_user and merged_id = p_gone;
    with moved as (
        update notifications set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning notification_id, conversation_id
    )
    update contact_merges m
       set notifications = array(select notification_id from moved where conversation_id = any (m.conversations) is not true)
     where m.user_id = p_user and m.merged_id = p_gone;
    with moved as (
        update ai_events set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning number, conversation_id
    )
    update contact_merges m
       set events = array(select number from moved where conversation_id = any (m.conversations) is not true)
     where m.user_id = p_user and m.merged_id = p_gone;
    with moved as (
        update contact_merges set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning merged_id
    )
    update contact_merges set merges = array(select merged_id from moved)
     where user_id = p_user and merged_id = p_gone;
end $$;

-- The identities of a contact that are one with a handle, by which its conversation may run: first the one that the
-- others were recognised by, then the handle in its ways, then what was told beside it.
create function app.handles_of(p_user uuid, p_type text, p_contact uuid, p_handles text[]) returns text[]
language sql stable
as $$
    with recursive own as (
        select i.value, i.matched_as, i.created_at from contact_identities i
         where i.user_id = p_user and i.contact_id = p_contact and i.channel_type = p_type
    ), up as (
        select own.value, own.matched_as, 0 as steps from own where own.value = p_handles[1]
        union all
        select own.value, own.matched_as, up.steps + 1 from up join own on own.value = up.matched_as where up.steps < 5
    ), root as (
        select value from up order by steps desc limit 1
    ), family as (
        select value from root
        union
        select own.value from family join own on own.matched_as = family.value
    )
    select array(select value from root) || p_handles || array(select value from family)
$$;

-- One identity of a contact, or the one that it was recognised by, is from now on recognised by another.
create function app.match_identity(p_user uuid, p_type text, p_contact uuid, p_values text[], p_by text[]) returns void
language sql volatile
as $$
    update contact_identities i set matched_as = by.value
      from contact_identities by
     where i.user_id = p_user and i.channel_type = p_type and i.contact_id = p_contact
       and i.value = (app.handles_of(p_user, p_type, p_contact, p_values))[1]
       and by.user_id = p_user and by.channel_type = p_type and by.contact_id = p_contact and by.value = p_by[1]
       and i.value <> (app.handles_of(p_user, p_type, p_contact, p_by))[1]
$$;

-- Merges two contacts that a payload tells to be one, into the older; the id of the one that is left. Where somebody
-- is changing one of them just now, nothing happens: the next payload tells it again.
create function app.merge_told(p_user uuid, p_type text, p_one uuid, p_two uuid, p_handles text[], p_values text[])
returns uuid
language plpgsql volatile
as $$
declare
    v_people uuid[];
begin
    if not app.may_be_one(p_user, p_type, p_one, p_two, p_handles) then
        return p_one;
    end if;
    select array_agg(contact_id order by created_at, contact_id) into v_people from (
        select contact_id, created_at from contacts
         where user_id = p_user and contact_id in (p_one, p_two)
         order by contact_id for update skip locked
    ) held;
    if cardinality(v_people) is distinct from 2 then
        return p_one;
    end if;
    perform app.merge_contacts(p_user, v_people[1], v_people[2], true);
    if v_people[1] = p_one then
        perform app.match_identity(p_user, p_type, p_one, p_values, p_handles);
    else
        perform app.match_identity(p_user, p_type, p_two, p_handles, p_values);
    end if;
    return v_people[1];
end $$;

-- The contact of an item: found or made by the handle, and joined with what is told beside it.
-- p_handles: the handle as sent, then the other ways to write it; p_others: [[another identity, other ways ...], ...].
create function app.person_for(p_user uuid, p_type text, p_handles text[], p_others jsonb, p_name text) returns uuid
language plpgsql volatile
as $$
declare
    v_contact uuid;
    v_values  text[];
    v_handle  contact_identities;
    v_known   contact_identities;
begin
    if jsonb_typeof(p_others) is distinct from 'array' or p_others = '[]' then
        return app.contact_for(p_user, p_type, p_handles, p_name);
    end if;
    if (app.known_identity(p_user, p_type, p_handles)).value is null then
        -- The handle is new: it is the one of whoever is known by another identity, and has none of its kind.
        insert into contact_identities (user_id, channel_type, value, contact_id, matched_as)
        select p_user, p_type, p_handles[1], i.contact_id, i.value
          from jsonb_array_elements(p_others) with ordinality as o (group_of, n)
         cross join lateral app.known_identity(p_user, p_type, array(select jsonb_array_elements_text(o.group_of))) i
         where i.value is not null and app.may_have(p_user, p_type, i.contact_id, p_handles)
         order by o.n limit 1
            on conflict do nothing;
    end if;
    v_contact := app.contact_for(p_user, p_type, p_handles, p_name);
    for v_values in select array(select jsonb_array_elements_text(o)) from jsonb_array_elements(p_others) o loop
        v_handle := app.known_identity(p_user, p_type, p_handles);
        v_known := app.known_identity(p_user, p_type, v_values);
        if v_known.value is null then
            insert into contact_identities (user_id, channel_type, value, contact_id, matched_as)
            select p_user, p_type, v_values[1], v_contact, p_handles[1]
             where app.may_have(p_user, p_type, v_contact, v_values)
                on conflict do nothing;
        elsif v_known.contact_id <> v_contact then
            v_contact := app.merge_told(p_user, p_type, v_contact, v_known.contact_id,
                                        v_handle.value || p_handles, v_known.value || v_values);
        elsif v_known.matched_as is null and v_handle.matched_as is null then
            perform app.match_identity(p_user, p_type, v_contact, array[v_known.value], array[v_handle.value]);
        end if;
    end loop;
    return v_contact;
end $$;

-- Finds or makes the conversation, and locks its row: events of a conversation follow the order of commits.
-- One under another identity only while it is the same person's: an unmerge may have parted them.
create or replace function app.conversation_for(p_user uuid, p_channel uuid, p_contact uuid, p_handles text[])
returns conversations
language plpgsql volatile
as $$
declare
    v_found   conversations;
    v_handles text[] := p_handles;
begin
    if exists (select from contact_identities i
                where i.user_id = p_user and i.contact_id = p_contact and i.matched_as is not null) then
        select app.handles_of(p_user, h.type, p_contact, p_handles) into v_handles
          from channels h where h.user_id = p_user and h.channel_id = p_channel;
    end if;
    select * into v_found from conversations c
     where c.user_id = p_user and c.channel_id = p_channel and c.handle = any (v_handles)
       and (c.handle = p_handles[1] or c.contact_id = p_contact)
     order by c.contact_id = p_contact desc, array_position(v_handles, c.handle) limit 1 for no key update;
    if not found then
        insert into conversations (user_id, conversation_id, contact_id, channel_id, handle)
        values (p_user, app.uuid7(), p_contact, p_channel, p_handles[1])
        on conflict do nothing
        returning * into v_found;
        if found then
            perform app.record(p_user, 'conversation.created', p_contact, v_found.conversation_id);
        else
            select * into v_found from conversations c
             where c.user_id = p_user and c.channel_id = p_channel and c.handle = p_handles[1] for no key update;
        end if;
    end if;
    return v_found;
end $$;
