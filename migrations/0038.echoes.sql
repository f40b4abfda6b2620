-- depends: 0037.deliveries

-- An echo may be of our own message: by its id, by the id that we gave it, or by recipient and text while the answer of
-- the send call is still to come (or never came). It binds that one; any other is one that a person wrote elsewhere.

-- Texts as a messenger gives them back.
create function app.plain_text(p_text text) returns text
language sql immutable
as $$ select btrim(replace(coalesce(p_text, ''), E'\r\n', E'\n'), E' \t\r\n') $$;

-- Whether an echo says what one of our parts does; without a text the kind of file and its caption must agree.
create function app.is_echo_of(p_item jsonb, p_text text, p_file jsonb) returns boolean
language sql immutable
as $$
    select case when p_file is null then
                    jsonb_array_length(coalesce(p_item -> 'attachments', '[]')) = 0 and app.plain_text(p_text) <> ''
                    and app.plain_text(p_item ->> 'text') = app.plain_text(p_text)
                else p_item -> 'attachments' -> 0 ->> 'type' = p_file ->> 'type'
                     and app.plain_text(p_item -> 'attachments' -> 0 ->> 'caption') = app.plain_text(p_file ->> 'caption') end
$$;

-- The conversations that an echo may be of.
create function app.echo_conversations(p_user uuid, p_item jsonb) returns setof uuid
language sql stable
as $$
    select c.conversation_id
      from contact_identities i
      join conversations c on c.user_id = i.user_id and c.contact_id = i.contact_id
      join channels h on h.user_id = c.user_id and h.channel_id = c.channel_id
     where i.user_id = p_user and i.channel_type = p_item ->> 'channel_type'
       and i.value = any (array(select jsonb_array_elements_text(p_item -> 'handles')))
       and h.type = i.channel_type
       and (h.external_account_id = p_item ->> 'recipient' or h.external_account_id is null or p_item ->> 'recipient' is null)
$$;

-- The message of ours that an echo is of, now known by the messenger's id; null where there is none.
create function app.bind_echo(p_user uuid, p_item jsonb) returns uuid
language plpgsql volatile
as $$
declare
    v_id       text := p_item ->> 'dedupe_key';
    v_message  messages;
    v_delivery uuid;
begin
    if p_item ->> 'target' is null then
        return null;
    end if;
    if p_item ->> 'delivery_id' ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
        perform app.bind_delivery(p_user, (p_item ->> 'delivery_id')::uuid, v_id);
    end if;
    v_message := app.message_for(p_user, p_item ->> 'channel_type', p_item ->> 'recipient', v_id);
    if v_message.message_id is not null then
        return case when v_message.source is distinct from 'native_app' then v_message.message_id end;
    end if;
    select d.delivery_id, d.message_id into v_delivery, v_message.message_id
      from deliveries d left join connections k using (user_id, channel_id)
     where d.user_id = p_user and d.conversation_id in (select app.echo_conversations(p_user, p_item))
       and d.message_id is not null and d.external_id is null and k.provider is distinct from 'whatsapp_cloud'
       and (d.state in ('sending', 'unknown') or (d.state = 'dead' and d.error ->> 'code' = 'outcome_unknown'))
       and d.updated_at > clock_timestamp() - interval '10 minutes'
       and app.is_echo_of(p_item, d.payload ->> 'text', d.payload -> 'file')
     order by d.number limit 1;
    if v_delivery is not null then
        perform app.bind_delivery(p_user, v_delivery, v_id);
        return v_message.message_id;
    end if;
    return app.bind_claimed(p_user, p_item);
end $$;

-- Likewise of a message that somebody else was given to send.
create function app.bind_claimed(p_user uuid, p_item jsonb) returns uuid
language plpgsql volatile
as $$
declare
    v_message messages;
begin
    select m.* into v_message from messages m
     where m.user_id = p_user and m.conversation_id in (select app.echo_conversations(p_user, p_item))
       and m.status = 'queued' and m.external_id is null and m.claim ->> 'state' in ('leased', 'held')
       and m.queued_at > clock_timestamp() - interval '1 day'
       and app.is_echo_of(p_item, m.body, m.attachments -> 0)
     order by m.queued_at limit 1;
    if not found then
        return null;
    end if;
    perform from conversations c
      where c.user_id = p_user and c.conversation_id = v_message.conversation_id for no key update;
    update messages set external_id = p_item ->> 'external_id', dedupe_key = p_item ->> 'dedupe_key'
     where user_id = p_user and message_id = v_message.message_id and status = 'queued' and external_id is null;
    if found then
        perform app.apply_message_status(p_user, v_message.message_id, 'sent', null, p_item ->> 'external_id');
        update messages set delivery = null, claim = null where user_id = p_user and message_id = v_message.message_id;
        perform app.apply_waiting(p_user, p_item ->> 'channel_type', p_item ->> 'target', v_message.message_id);
    end if;
    return v_message.message_id;
end $$;

alter function app.take_in_echo(uuid, jsonb) rename to take_in_new_echo;

create function app.take_in_echo(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_message uuid := app.bind_echo(p_user, p_item);
begin
    if v_message is null then
        return app.take_in_new_echo(p_user, p_item);
    end if;
    return (select app.duplicate_of(p_user, m) from messages m where m.user_id = p_user and m.message_id = v_message);
end $$;
