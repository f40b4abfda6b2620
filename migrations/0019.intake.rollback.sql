create or replace function app.take_in(p_items jsonb) returns jsonb
language plpgsql volatile set lock_timeout = '2s'
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
        perform app.channel_for(v_user, v_item ->> 'channel_type', v_item ->> 'recipient');
    end loop;
    for v_user, v_item in select (i ->> 'user_id')::uuid, i from jsonb_array_elements(p_items) with ordinality as t (i, n) order by n
    loop
        if v_user is distinct from v_worn then
            perform app.act_as(v_user);
            v_worn := v_user;
        end if;
        v_results := v_results || case
            when v_item ->> 'kind' = 'message' then app.take_in_message(v_user, v_item)
            when v_item ->> 'target' is null then app.take_in_watermark(v_user, v_item)
            else app.take_in_update(v_user, v_item) end;
    end loop;
    return v_results;
end $$;

drop function app.hold_batch(jsonb);

drop function app.take_in_item(uuid, jsonb);

drop function app.hold_conversations(uuid, jsonb);

drop function app.tells_people(uuid, jsonb);

drop function app.trim_ignored(uuid);

drop function app.note_state(uuid, jsonb, jsonb);

drop function app.note_wish(uuid, jsonb, jsonb);

drop function app.take_in_ignored(uuid, jsonb);

create or replace function app.take_in_watermark(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_handles      text[] := array(select jsonb_array_elements_text(p_item -> 'handles'));
    v_conversation conversations;
    v_moved        integer;
begin
    select c.* into v_conversation from channels h join conversations c using (user_id, channel_id)
     where h.user_id = p_user and h.type = p_item ->> 'channel_type'
       and h.external_account_id is not distinct from p_item ->> 'recipient' and c.handle = any (v_handles)
       and (c.handle = v_handles[1] or not exists (
                select from contact_identities i
                 where i.user_id = p_user and i.channel_type = h.type and i.value = v_handles[1]
                   and i.contact_id <> c.contact_id))
     order by array_position(v_handles, c.handle) limit 1 for no key update of c;
    with moved as (
        update messages m set status = p_item ->> 'update'
         where m.user_id = p_user and m.conversation_id = v_conversation.conversation_id and m.direction = 'outbound'
           and m.sent_at <= (p_item ->> 'sent_at')::timestamptz
           and app.status_rank(m.status) < app.status_rank(p_item ->> 'update')
        returning m.message_id, m.external_id
    ), told as (
        insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
        select p_user, 'message.status_changed', v_conversation.contact_id, v_conversation.conversation_id, moved.message_id,
               jsonb_build_object('status', p_item ->> 'update', 'external_id', moved.external_id) from moved
    )
    select count(*) into v_moved from moved;
    return jsonb_build_object('duplicate', v_conversation.user_id is not null and v_moved = 0, 'message_id', null,
                              'conversation_id', v_conversation.conversation_id, 'contact_id', v_conversation.contact_id);
end $$;

create or replace function app.take_in_update(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_update  message_updates;
    v_message messages := app.message_for(p_user, p_item ->> 'channel_type', p_item ->> 'recipient', p_item ->> 'target');
    v_contact uuid;
begin
    select contact_id into v_contact from conversations
     where user_id = p_user and conversation_id = v_message.conversation_id for no key update;
    insert into message_updates (user_id, channel_type, external_id, kind, detail, body, error, happened_at, classification, payload)
    values (p_user, p_item ->> 'channel_type', p_item ->> 'target', p_item ->> 'update', p_item ->> 'detail',
            p_item ->> 'text', p_item ->> 'error', coalesce((p_item ->> 'sent_at')::timestamptz, now()),
            nullif(p_item -> 'classification', 'null'), (p_item ->> 'raw')::json)
    on conflict do nothing
    returning * into v_update;
    if v_update.number is not null and v_message.message_id is not null then
        perform app.apply_update(p_user, v_message.message_id, v_update);
    end if;
    return jsonb_build_object('duplicate', v_update.number is null, 'message_id', v_message.message_id,
                              'conversation_id', v_message.conversation_id, 'contact_id', v_contact);
end $$;

create or replace function app.apply_update(p_user uuid, p_message uuid, p_update message_updates) returns void
language plpgsql volatile
as $$
declare
    v_message messages;
    v_type    text;
    v_detail  jsonb := jsonb_build_object('external_id', p_update.external_id);
begin
    select * into v_message from messages where user_id = p_user and message_id = p_message;
    case p_update.kind
    when 'edited' then
        if v_message.deleted_at is not null or v_message.edited_at > p_update.happened_at then
            return;
        end if;
        v_type := 'message.edited';
        update messages
           set body = p_update.body, edited_at = p_update.happened_at,
               classification = case when direction = 'inbound' then p_update.classification end
         where user_id = p_user and message_id = p_message;
    when 'deleted' then
        if v_message.deleted_at is not null then
            return;
        end if;
        v_type := 'message.deleted';
        update messages set body = '', attachments = '[]', deleted_at = p_update.happened_at
         where user_id = p_user and message_id = p_message;
        delete from message_payloads where user_id = p_user and message_id = p_message;
        update message_updates set body = null, payload = null
         where user_id = p_user and channel_type = p_update.channel_type and external_id = p_update.external_id
           and kind = 'edited';
    when 'reaction' then
        if v_message.deleted_at is not null or v_message.reacted_at > p_update.happened_at then
            return;
        end if;
        v_type := 'message.reaction';
        v_detail := v_detail || jsonb_build_object('emoji', p_update.body);
        update messages
           set reacted_at = p_update.happened_at,
               reactions = case when p_update.body is null then '[]'
                   else jsonb_build_array(jsonb_build_object('emoji', p_update.body, 'sent_at',
                       to_char(p_update.happened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) end
         where user_id = p_user and message_id = p_message;
    else
        if v_message.direction = 'inbound' or v_message.status = 'failed'
           or (p_update.kind = 'failed' and v_message.status not in ('queued', 'sent'))
           or app.status_rank(p_update.kind) <= app.status_rank(v_message.status) then
            return;
        end if;
        v_type := 'message.status_changed';
        v_detail := v_detail || jsonb_strip_nulls(jsonb_build_object('status', p_update.kind, 'error', p_update.error));
        update messages set status = p_update.kind, error = p_update.error
         where user_id = p_user and message_id = p_message;
    end case;
    perform app.record(p_user, v_type, c.contact_id, c.conversation_id, p_message, null, v_detail)
       from conversations c where c.user_id = p_user and c.conversation_id = v_message.conversation_id;
    if v_type in ('message.edited', 'message.deleted') then
        perform app.refresh_conversation(p_user, v_message.conversation_id, p_message);
    end if;
    if v_type = 'message.edited' and v_message.direction = 'inbound' and p_update.classification is not null then
        perform app.record(p_user, 'message.classified', c.contact_id, c.conversation_id, p_message, null, p_update.classification)
           from conversations c where c.user_id = p_user and c.conversation_id = v_message.conversation_id;
    end if;
end $$;

drop function app.apply_status(uuid, messages, message_updates);

drop function app.apply_reaction(uuid, messages, message_updates);

drop function app.apply_deletion(uuid, messages, message_updates);

drop function app.apply_edit(uuid, messages, message_updates);

drop function app.is_of_its_side(messages, message_updates);

drop function app.take_in_echo(uuid, jsonb);

create or replace function app.take_in_message(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_type         text := p_item ->> 'channel_type';
    v_handles      text[] := array(select jsonb_array_elements_text(p_item -> 'handles'));
    v_body         text := coalesce(p_item ->> 'text', '');
    v_sent_at      timestamptz := least((p_item ->> 'sent_at')::timestamptz, now());
    v_classified   jsonb := p_item -> 'classification';
    v_channel      uuid := app.channel_for(p_user, v_type, p_item ->> 'recipient');
    v_contact      uuid := app.contact_for(p_user, v_type, v_handles, p_item ->> 'name');
    v_conversation conversations := app.conversation_for(p_user, v_channel, v_contact, v_handles);
    v_message      uuid := (p_item ->> 'message_id')::uuid;
    v_newest       boolean;
    v_newest_in    boolean;
begin
    insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key,
                          body, attachments, reply_to_id, status, classification, sent_at)
    values (p_user, v_message, v_conversation.conversation_id, v_channel, 'inbound',
            p_item ->> 'external_id', p_item ->> 'dedupe_key', v_body, p_item -> 'attachments',
            (select r.message_id from messages r
              where r.user_id = p_user and r.channel_id = v_channel and r.dedupe_key = p_item ->> 'reply_to'),
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
        perform app.apply_waiting(p_user, v_type, p_item ->> 'external_id', v_message);
    end if;
    return jsonb_build_object('duplicate', false, 'message_id', v_message,
                              'conversation_id', v_conversation.conversation_id, 'contact_id', v_conversation.contact_id);
end $$;

drop function app.keep_referral(uuid, uuid, jsonb);

drop function app.show_message(uuid, jsonb, conversations, text, timestamptz);

drop function app.add_message(uuid, jsonb, conversations, text, timestamptz);

drop function app.duplicate_of(uuid, messages);

drop function app.seen_message(uuid, jsonb);

create or replace function app.contact_for(p_user uuid, p_type text, p_handles text[], p_name text) returns uuid
language plpgsql volatile
as $$
declare
    v_known contact_identities;
    v_contact uuid;
begin
    v_known := app.known_identity(p_user, p_type, p_handles);
    if v_known.value is null and cardinality(p_handles) > 1 then
        -- No key tells two transactions that two ways to write a number are one: the lock does.
        perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'contact', p_user, p_type, min(h)), 0))
           from unnest(p_handles) h;
        v_known := app.known_identity(p_user, p_type, p_handles);
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
        return app.contact_for(p_user, p_type, p_handles, p_name);
    end if;
    perform app.record(p_user, 'contact.created', v_contact);
    return v_contact;
end $$;

drop table channel_states;

drop table ignored_items;

alter table message_updates drop column from_business;
