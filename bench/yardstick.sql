-- How a message was taken in before it was done by a statement for each table: a yardstick that stays
-- as it is, for messages only. It writes into the tables of today.
create schema yardstick;

grant usage on schema yardstick to alfred_app;

-- The channel of an account; where the sender names none, the oldest channel of the type without one.
create function yardstick.channel_for(p_user uuid, p_type text, p_account text) returns uuid
language plpgsql volatile
as $$
declare
    v_channel uuid := yardstick.known_channel(p_user, p_type, p_account);
begin
    if v_channel is null then
        perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'channel', p_user, p_type, p_account), 0));
        v_channel := yardstick.known_channel(p_user, p_type, p_account);
    end if;
    if v_channel is null then
        insert into channels (user_id, channel_id, type, name, external_account_id)
        values (p_user, app.uuid7(), p_type, left(concat_ws(' ', initcap(p_type), p_account), 200), p_account)
        returning channel_id into v_channel;
    end if;
    return v_channel;
end $$;

create function yardstick.known_channel(p_user uuid, p_type text, p_account text) returns uuid
language sql volatile
as $$
    select channel_id from channels
     where user_id = p_user and type = p_type and external_account_id is not distinct from p_account
     order by created_at, channel_id limit 1
$$;

-- p_handles: the identity as sent, then the other ways to write it.
create function yardstick.contact_for(p_user uuid, p_type text, p_handles text[], p_name text) returns uuid
language plpgsql volatile
as $$
declare
    v_known contact_identities;
    v_contact uuid;
begin
    v_known := yardstick.known_identity(p_user, p_type, p_handles);
    if v_known.value is null and cardinality(p_handles) > 1 then
        -- No key tells two transactions that two ways to write a number are one: the lock does.
        perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'contact', p_user, p_type, min(h)), 0))
           from unnest(p_handles) h;
        v_known := yardstick.known_identity(p_user, p_type, p_handles);
    end if;
    if v_known.value is not null then
        if v_known.value <> p_handles[1] then
            insert into contact_identities (user_id, channel_type, value, contact_id, matched_as)
            values (p_user, p_type, p_handles[1], v_known.contact_id, v_known.value)
            on conflict do nothing;
        end if;
        update contacts set name = p_name, updated_at = now()
         where user_id = p_user and contact_id = v_known.contact_id and name is null and p_name is not null;
        return v_known.contact_id;
    end if;
    v_contact := app.uuid7();
    insert into contacts (user_id, contact_id, name, handle, channel_type, email, phone)
    values (p_user, v_contact, p_name, p_handles[1], p_type,
            case when p_type = 'email' then p_handles[1] end,
            case when p_type = 'whatsapp' and p_handles[1] like '+%' then p_handles[1] end);
    insert into contact_identities (user_id, channel_type, value, contact_id)
    values (p_user, p_type, p_handles[1], v_contact)
    on conflict do nothing;
    if not found then -- another transaction was faster, and has committed
        delete from contacts where user_id = p_user and contact_id = v_contact;
        return yardstick.contact_for(p_user, p_type, p_handles, p_name);
    end if;
    perform app.record(p_user, 'contact.created', v_contact);
    return v_contact;
end $$;

create function yardstick.known_identity(p_user uuid, p_type text, p_handles text[]) returns contact_identities
language sql volatile
as $$
    select * from contact_identities i
     where i.user_id = p_user and i.channel_type = p_type and i.value = any (p_handles)
     order by array_position(p_handles, i.value) limit 1
$$;

-- Finds or makes the conversation, and locks its row: events of a conversation follow the order of commits.
-- One under another way to write the handle only while it is the same person's: an unmerge may have parted them.
create function yardstick.conversation_for(p_user uuid, p_channel uuid, p_contact uuid, p_handles text[])
returns conversations
language plpgsql volatile
as $$
declare
    v_found conversations;
begin
    select * into v_found from conversations c
     where c.user_id = p_user and c.channel_id = p_channel and c.handle = any (p_handles)
       and (c.handle = p_handles[1] or c.contact_id = p_contact)
     order by array_position(p_handles, c.handle) limit 1 for no key update;
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

-- Statuses, edits and reactions that came before their message.
create function yardstick.apply_waiting(p_user uuid, p_type text, p_external_id text, p_message uuid) returns void
language plpgsql volatile
as $$
declare
    v_update message_updates;
begin
    for v_update in
        select * from message_updates u
         where u.user_id = p_user and u.channel_type = p_type and u.external_id = p_external_id order by u.number
    loop
        perform app.apply_update(p_user, p_message, v_update);
    end loop;
end $$;

create function yardstick.take_in_message(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_type         text := p_item ->> 'channel_type';
    v_handles      text[] := array(select jsonb_array_elements_text(p_item -> 'handles'));
    v_body         text := coalesce(p_item ->> 'text', '');
    v_sent_at      timestamptz := least((p_item ->> 'sent_at')::timestamptz, now());
    v_classified   jsonb := p_item -> 'classification';
    v_channel      uuid := yardstick.channel_for(p_user, v_type, p_item ->> 'recipient');
    v_contact      uuid := yardstick.contact_for(p_user, v_type, v_handles, p_item ->> 'name');
    v_conversation conversations := yardstick.conversation_for(p_user, v_channel, v_contact, v_handles);
    v_message      uuid := (p_item ->> 'message_id')::uuid;
    v_newest       boolean;
    v_newest_in    boolean;
begin
    insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key,
                          body, attachments, reply_to_id, status, classification, sent_at)
    values (p_user, v_message, v_conversation.conversation_id, v_channel, 'inbound',
            p_item ->> 'external_id', p_item ->> 'dedupe_key', v_body, p_item -> 'attachments',
            case when p_item ->> 'reply_to' is not null then (select r.message_id from messages r
              where r.user_id = p_user and r.channel_id = v_channel and r.dedupe_key = p_item ->> 'reply_to') end,
            'received', v_classified, v_sent_at)
    on conflict do nothing;
    if not found then
        return (select jsonb_build_object('duplicate', true, 'message_id', m.message_id,
                                          'conversation_id', m.conversation_id, 'contact_id', c.contact_id)
                  from messages m join conversations c using (user_id, conversation_id)
                 where m.user_id = p_user and m.channel_id = v_channel
                   and (m.dedupe_key = p_item ->> 'dedupe_key' or m.message_id = v_message) limit 1);
    end if;
    insert into message_payloads (user_id, message_id, payload) values (p_user, v_message, (p_item ->> 'raw')::json);
    v_newest    := v_conversation.last_message_at is null
                or (v_sent_at, v_message) > (v_conversation.last_message_at, v_conversation.last_message_id);
    v_newest_in := v_conversation.last_inbound_at is null
                or (v_sent_at, v_message) > (v_conversation.last_inbound_at, v_conversation.last_inbound_id);
    update conversations c
       set unread_count           = c.unread_count + 1,
           status                 = case when c.status in ('closed', 'snoozed') then 'open' else c.status end,
           snoozed_until          = null,
           last_message_id        = case when v_newest then v_message else c.last_message_id end,
           last_message_at        = case when v_newest then v_sent_at else c.last_message_at end,
           active_at              = case when v_newest then v_sent_at else c.active_at end,
           last_message_direction = case when v_newest then 'inbound' else c.last_message_direction end,
           snippet                = case when v_newest then app.snippet(v_body, p_item -> 'attachments') else c.snippet end,
           last_inbound_id        = case when v_newest_in then v_message else c.last_inbound_id end,
           last_inbound_at        = case when v_newest_in then v_sent_at else c.last_inbound_at end,
           sentiment              = case when v_newest_in then v_classified ->> 'sentiment' else c.sentiment end,
           urgency                = case when v_newest_in then v_classified ->> 'urgency' else c.urgency end,
           negotiation            = case when v_newest_in then (v_classified ->> 'negotiation')::boolean else c.negotiation end,
           updated_at             = now()
     where c.user_id = p_user and c.conversation_id = v_conversation.conversation_id;
    insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
    select p_user, e.type, v_conversation.contact_id, v_conversation.conversation_id, v_message, e.payload
      from (values ('message.received', jsonb_build_object('channel_type', v_type, 'external_id', p_item ->> 'external_id')),
                   ('message.classified', v_classified)) as e (type, payload);
    if v_conversation.status in ('closed', 'snoozed') then
        perform app.record(p_user, 'conversation.updated', v_conversation.contact_id, v_conversation.conversation_id,
                           v_message, null, jsonb_build_object('status', 'open', 'was', v_conversation.status));
    end if;
    if p_item ->> 'external_id' is not null then
        perform yardstick.apply_waiting(p_user, v_type, p_item ->> 'external_id', v_message);
    end if;
    return jsonb_build_object('duplicate', false, 'message_id', v_message,
                              'conversation_id', v_conversation.conversation_id, 'contact_id', v_conversation.contact_id);
end $$;

-- p_items: [{user_id, kind, channel_type, recipient, handles, target, ...}], in the order of their keys.
-- Locks are taken in one order by every batch (tenants, messenger ids, channels, then items by key), so batches do not
-- deadlock. Each item wears its own tenant's hat: row level security holds here too.
create function yardstick.take_in(p_items jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_item    jsonb;
    v_user    uuid;
    v_worn    uuid;
    v_results jsonb := '[]';
begin
    perform pg_advisory_xact_lock_shared(k) from (
        select distinct app.people_lock((i ->> 'user_id')::uuid) as k from jsonb_array_elements(p_items) i order by 1
    ) keys;
    perform pg_advisory_xact_lock(k) from (
        select distinct hashtextextended(concat_ws(' ', i ->> 'user_id', i ->> 'channel_type', i ->> 'target'), 0) as k
          from jsonb_array_elements(p_items) i where i ->> 'target' is not null order by 1
    ) keys;
    for v_user, v_item in
        select (i ->> 'user_id')::uuid, i from jsonb_array_elements(p_items) i where i ->> 'kind' = 'message'
         order by 1, i ->> 'channel_type', i ->> 'recipient'
    loop
        if v_user is distinct from v_worn then
            perform app.act_as(v_user);
            v_worn := v_user;
        end if;
        perform yardstick.channel_for(v_user, v_item ->> 'channel_type', v_item ->> 'recipient');
    end loop;
    for v_user, v_item in select (i ->> 'user_id')::uuid, i from jsonb_array_elements(p_items) with ordinality as t (i, n) order by n
    loop
        if v_user is distinct from v_worn then
            perform app.act_as(v_user);
            v_worn := v_user;
        end if;
        v_results := v_results || yardstick.take_in_message(v_user, v_item);
    end loop;
    return v_results;
end $$;

alter function yardstick.take_in(jsonb) set lock_timeout = '2s';
