-- depends: 0097.log_by_contact

-- A post of many customers who are new took a millisecond for each. They are met by a statement for each table, and their
-- messages are taken in like those of customers who are known.

-- Makes the channels, contacts and conversations of plain messages. Who is known in any way to write a handle is left.
-- Raises where one message is there already, at the first that is found.
create function app.meet(p_user uuid, p_items jsonb) returns void
language plpgsql
as $$
begin
    if exists (select app.messages_keyed(
                   array(select channel_id from channels where user_id = p_user),
                   array(select i ->> 'dedupe_key' from jsonb_array_elements(p_items) i))) then
        raise exception 'a message is there already' using errcode = 'AL409';
    end if;
    perform app.channel_for(p_user, c.channel_type, c.recipient)
       from (select distinct i ->> 'channel_type', i ->> 'recipient'
               from jsonb_array_elements(p_items) i order by 1, 2) c (channel_type, recipient);
    -- As app.contact_for does for a number with several ways to write it, in the order of the locks.
    perform pg_advisory_xact_lock(k) from (
        select distinct hashtextextended(concat_ws(' ', 'contact', p_user, i ->> 'channel_type', (
                   select min(h) from jsonb_array_elements_text(i -> 'handles') h)), 0) as k
          from jsonb_array_elements(p_items) i where jsonb_array_length(i -> 'handles') > 1 order by 1
    ) keys;
    with item as (
        select i.channel_type, i.recipient, i.handles, i.name, i.n, (select min(h) from unnest(i.handles) h) as least
          from rows from (jsonb_to_recordset(p_items) as (channel_type text, recipient text, handles text[], name text))
               with ordinality as i (channel_type, recipient, handles, name, n)
    ), person as materialized (
        select distinct on (i.channel_type, i.least) i.channel_type, i.handles[1] as handle, i.name, i.n,
               app.known_channel(p_user, i.channel_type, i.recipient) as channel_id,
               app.uuid7() as contact_id, app.uuid7() as conversation_id
          from item i
         where not exists (select from contact_identities t
                            where t.user_id = p_user and t.channel_type = i.channel_type and t.value = any (i.handles))
         order by i.channel_type, i.least, i.n
    ), contact as (
        insert into contacts (user_id, contact_id, name, handle, channel_type, email, phone)
        select p_user, p.contact_id, p.name, p.handle, p.channel_type,
               case when p.channel_type = 'email' then p.handle end,
               case when p.channel_type = 'whatsapp' and p.handle like '+%' then p.handle end
          from person p order by p.n
    ), identity as (
        insert into contact_identities (user_id, channel_type, value, contact_id)
        select p_user, p.channel_type, p.handle, p.contact_id from person p order by p.channel_type, p.handle
    ), conversation as (
        insert into conversations (user_id, conversation_id, contact_id, channel_id, handle)
        select p_user, p.conversation_id, p.contact_id, p.channel_id, p.handle from person p order by p.n
    )
    insert into ai_events (user_id, type, contact_id, conversation_id, payload)
    select p_user, e.type, p.contact_id, e.conversation_id, e.payload
      from person p cross join lateral (values
           (1, 'contact.created', null,
            jsonb_build_object('name', p.name, 'handle', p.handle, 'channel_type', p.channel_type)),
           (2, 'conversation.created', p.conversation_id, '{}')) as e (at, type, conversation_id, payload)
     order by p.n, e.at;
end $$;

-- As app.take_in_wanted_known, also from customers who are new, and all of it or nothing: raises where a message is not
-- plain. A hundred at a time, since the statements are made for a few and read all of a batch for each.
create function app.take_in_new(p_items jsonb) returns jsonb
language plpgsql
set lock_timeout = '2s' set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
declare
    v_user    uuid;
    v_items   jsonb;
    v_results jsonb := '[]';
begin
    if app.erased_items(p_items) is not null then
        raise exception 'a message is of somebody who was erased' using errcode = 'AL409';
    end if;
    if exists (select from jsonb_array_elements(p_items) i
                group by i ->> 'user_id', i ->> 'channel_type', i ->> 'recipient', i ->> 'dedupe_key'
               having count(*) > 1) then
        raise exception 'a message is told twice' using errcode = 'AL409';
    end if;
    for v_user, v_items in
        select (i ->> 'user_id')::uuid, jsonb_agg(i order by n)
          from jsonb_array_elements(p_items) with ordinality t (i, n)
         group by 1 order by app.people_lock((i ->> 'user_id')::uuid)
    loop
        perform app.act_as(v_user);
        perform pg_advisory_xact_lock_shared(app.people_lock(v_user));
        perform app.meet(v_user, v_items);
    end loop;
    for v_items in
        select jsonb_agg(i order by n) from jsonb_array_elements(p_items) with ordinality t (i, n)
         group by (n - 1) / 100 order by min(n)
    loop
        v_results := v_results || app.take_in_known(v_items);
        if v_results @> '[null]' then
            raise exception 'a message is not plain' using errcode = 'AL409';
        end if;
    end loop;
    return v_results;
end $$;
