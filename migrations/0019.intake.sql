-- depends: 0018.people

-- The way in, anew: duplicates are decided before people are made, echoes are outbound messages, an edit or a deletion
-- changes only what its side wrote, and what is ignored is kept.
alter table message_updates add column from_business boolean;

comment on column message_updates.from_business is 'which side edited or deleted; null where it is not told';

-- What was posted and is of no interest, with its reason: the newest of a tenant.
create table ignored_items (
    user_id      uuid        not null,
    ignored_id   uuid        not null,
    channel_type text        not null,
    provider     text,
    kind         text        not null,
    reason       text        not null,
    payload      json        not null,
    size         integer     not null,
    received_at  timestamptz not null default clock_timestamp(),
    constraint ignored_items_key primary key (user_id, ignored_id),
    constraint ignored_items_user foreign key (user_id) references users on delete cascade
);

comment on column ignored_items.size is 'bytes of the payload';

create index ignored_items_by_age on ignored_items (user_id, received_at desc, ignored_id desc) include (size);

alter table ignored_items enable row level security;

alter table ignored_items force row level security;

create policy ignored_items_own on ignored_items
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on ignored_items to alfred_app;

-- How a business account fares: only a change is told.
create table channel_states (
    user_id      uuid        not null,
    channel_type text        not null,
    account      text        not null,
    about        text        not null,
    subject      text        not null default '',
    failing      boolean     not null,
    detail       text,
    changed_at   timestamptz not null,
    constraint channel_states_key primary key (user_id, channel_type, account, about, subject),
    constraint channel_states_about check (about in ('connection', 'quality', 'template', 'account')),
    constraint channel_states_user foreign key (user_id) references users on delete cascade
);

alter table channel_states enable row level security;

alter table channel_states force row level security;

create policy channel_states_own on channel_states
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on channel_states to alfred_app;

-- p_handles: the identity as sent, then the other ways to write it.
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
    perform app.record(p_user, 'contact.created', v_contact, null, null, null,
                       jsonb_build_object('name', p_name, 'handle', p_handles[1], 'channel_type', p_type));
    return v_contact;
end $$;

-- The message that was taken in already under this key, if any: on the channel of the account, or where one of the two
-- posts does not name its account.
create function app.seen_message(p_user uuid, p_item jsonb) returns messages
language sql stable
as $$
    select m.* from channels h
      join messages m on m.user_id = h.user_id and m.channel_id = h.channel_id
     where h.user_id = p_user and h.type = p_item ->> 'channel_type' and m.dedupe_key = p_item ->> 'dedupe_key'
       and (h.external_account_id = p_item ->> 'recipient'
            or h.external_account_id is null or p_item ->> 'recipient' is null)
     order by h.external_account_id is not distinct from p_item ->> 'recipient' desc limit 1
$$;

-- The answer to a message that is there already; it locks the conversation, so that what it says was committed.
create function app.duplicate_of(p_user uuid, p_message messages) returns jsonb
language sql volatile
as $$
    select jsonb_build_object('duplicate', true, 'message_id', p_message.message_id,
                              'conversation_id', c.conversation_id, 'contact_id', c.contact_id)
      from conversations c
     where c.user_id = p_user and c.conversation_id = p_message.conversation_id
       for no key update
$$;

-- The row of a message, of either direction, and its payload; false where it is there already.
create function app.add_message(p_user uuid, p_item jsonb, p_conversation conversations, p_direction text, p_sent_at timestamptz)
returns boolean
language plpgsql volatile
as $$
begin
    insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key,
                          body, attachments, reply_to_id, status, classification, sent_at, author, source,
                          subject, references_, referral, "order")
    values (p_user, (p_item ->> 'message_id')::uuid, p_conversation.conversation_id, p_conversation.channel_id, p_direction,
            p_item ->> 'external_id', p_item ->> 'dedupe_key', coalesce(p_item ->> 'text', ''), p_item -> 'attachments',
            (select r.message_id from messages r
              where r.user_id = p_user and r.channel_id = p_conversation.channel_id and r.dedupe_key = p_item ->> 'reply_to'),
            case p_direction when 'inbound' then 'received' else 'sent' end,
            nullif(p_item -> 'classification', 'null'), p_sent_at,
            case p_direction when 'outbound' then 'person' end, case p_direction when 'outbound' then 'native_app' end,
            p_item ->> 'subject', p_item ->> 'references',
            nullif(p_item -> 'referral', 'null'), nullif(p_item -> 'order', 'null'))
    on conflict do nothing;
    if not found then
        return false;
    end if;
    insert into message_payloads (user_id, message_id, payload)
    values (p_user, (p_item ->> 'message_id')::uuid, (p_item ->> 'raw')::json);
    return true;
end $$;

-- What a new message does to its conversation: the newest one is what the list shows. An inbound one is unread and
-- reopens, and the newest of them tells the mood.
create function app.show_message(p_user uuid, p_item jsonb, p_conversation conversations, p_direction text, p_sent_at timestamptz)
returns void
language plpgsql volatile
as $$
declare
    v_message    uuid    := (p_item ->> 'message_id')::uuid;
    v_classified jsonb   := p_item -> 'classification';
    v_inbound    boolean := p_direction = 'inbound';
    v_newest     boolean := p_conversation.last_message_at is null
                         or (p_sent_at, v_message) > (p_conversation.last_message_at, p_conversation.last_message_id);
    v_newest_in  boolean := v_inbound and (p_conversation.last_inbound_at is null
                         or (p_sent_at, v_message) > (p_conversation.last_inbound_at, p_conversation.last_inbound_id));
begin
    update conversations c
       set unread_count           = c.unread_count + v_inbound::integer,
           status                 = case when v_inbound and c.status in ('closed', 'snoozed') then 'open' else c.status end,
           snoozed_until          = case when v_inbound then null else c.snoozed_until end,
           last_message_id        = case when v_newest then v_message else c.last_message_id end,
           last_message_at        = case when v_newest then p_sent_at else c.last_message_at end,
           active_at              = case when v_newest then p_sent_at else c.active_at end,
           last_message_direction = case when v_newest then p_direction else c.last_message_direction end,
           snippet                = case when v_newest then app.snippet(coalesce(p_item ->> 'text', ''), p_item -> 'attachments')
                                         else c.snippet end,
           last_inbound_id        = case when v_newest_in then v_message else c.last_inbound_id end,
           last_inbound_at        = case when v_newest_in then p_sent_at else c.last_inbound_at end,
           sentiment              = case when v_newest_in then v_classified ->> 'sentiment' else c.sentiment end,
           urgency                = case when v_newest_in then v_classified ->> 'urgency' else c.urgency end,
           negotiation            = case when v_newest_in then (v_classified ->> 'negotiation')::boolean else c.negotiation end,
           updated_at             = now()
     where c.user_id = p_user and c.conversation_id = p_conversation.conversation_id;
end $$;

-- The ad that brought the customer: the contact keeps the first and the last one.
create function app.keep_referral(p_user uuid, p_contact uuid, p_referral jsonb) returns void
language sql volatile
as $$
    update contacts
       set first_referral = coalesce(first_referral, p_referral), last_referral = p_referral, updated_at = now()
     where user_id = p_user and contact_id = p_contact
$$;

create or replace function app.take_in_message(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_type         text := p_item ->> 'channel_type';
    v_handles      text[] := array(select jsonb_array_elements_text(p_item -> 'handles'));
    v_sent_at      timestamptz := least((p_item ->> 'sent_at')::timestamptz, now());
    v_seen         messages := app.seen_message(p_user, p_item);
    v_contact      uuid;
    v_conversation conversations;
    v_message      uuid := (p_item ->> 'message_id')::uuid;
begin
    if v_seen.message_id is not null then -- before anybody is made of it
        return app.duplicate_of(p_user, v_seen);
    end if;
    v_contact := app.person_for(p_user, v_type, v_handles, p_item -> 'others', p_item ->> 'name');
    v_conversation := app.conversation_for(
        p_user, app.channel_for(p_user, v_type, p_item ->> 'recipient'), v_contact, v_handles);
    if not app.add_message(p_user, p_item, v_conversation, 'inbound', v_sent_at) then
        select * into v_seen from messages m
         where m.user_id = p_user and m.channel_id = v_conversation.channel_id
           and (m.dedupe_key = p_item ->> 'dedupe_key' or m.message_id = v_message) limit 1;
        return app.duplicate_of(p_user, v_seen);
    end if;
    perform app.show_message(p_user, p_item, v_conversation, 'inbound', v_sent_at);
    if jsonb_typeof(p_item -> 'referral') = 'object' then
        perform app.keep_referral(p_user, v_conversation.contact_id, p_item -> 'referral');
    end if;
    insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
    select p_user, e.type, v_conversation.contact_id, v_conversation.conversation_id, v_message, e.payload
      from (values ('message.received', jsonb_build_object('channel_type', v_type, 'external_id', p_item ->> 'external_id',
                                                           'handle', v_handles[1])),
                   ('message.classified', p_item -> 'classification')) as e (type, payload);
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

-- What the business wrote in the messenger's own app: an outbound message that is sent already, never unread.
create function app.take_in_echo(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_type         text := p_item ->> 'channel_type';
    v_handles      text[] := array(select jsonb_array_elements_text(p_item -> 'handles'));
    v_sent_at      timestamptz := least((p_item ->> 'sent_at')::timestamptz, now());
    v_seen         messages := app.seen_message(p_user, p_item);
    v_contact      uuid;
    v_conversation conversations;
    v_message      uuid := (p_item ->> 'message_id')::uuid;
begin
    if v_seen.message_id is not null then
        return app.duplicate_of(p_user, v_seen);
    end if;
    v_contact := app.person_for(p_user, v_type, v_handles, p_item -> 'others', p_item ->> 'name');
    v_conversation := app.conversation_for(
        p_user, app.channel_for(p_user, v_type, p_item ->> 'recipient'), v_contact, v_handles);
    if not app.add_message(p_user, p_item, v_conversation, 'outbound', v_sent_at) then
        select * into v_seen from messages m
         where m.user_id = p_user and m.channel_id = v_conversation.channel_id
           and (m.dedupe_key = p_item ->> 'dedupe_key' or m.message_id = v_message) limit 1;
        return app.duplicate_of(p_user, v_seen);
    end if;
    perform app.show_message(p_user, p_item, v_conversation, 'outbound', v_sent_at);
    perform app.record(p_user, 'message.sent', v_conversation.contact_id, v_conversation.conversation_id, v_message, null,
                       jsonb_build_object('channel_type', v_type, 'external_id', p_item ->> 'external_id',
                                          'author', 'person', 'source', 'native_app', 'by_rule', false));
    if p_item ->> 'external_id' is not null then
        perform app.apply_waiting(p_user, v_type, p_item ->> 'external_id', v_message);
    end if;
    return jsonb_build_object('duplicate', false, 'message_id', v_message,
                              'conversation_id', v_conversation.conversation_id, 'contact_id', v_conversation.contact_id);
end $$;

-- What one update does to its message; the message's conversation is locked by the caller. One function for each kind
-- says what to tell of it; null where it changed nothing.
create or replace function app.apply_update(p_user uuid, p_message uuid, p_update message_updates) returns void
language plpgsql volatile
as $$
declare
    v_message messages;
    v_told    jsonb;
    v_type    text;
begin
    select * into v_message from messages where user_id = p_user and message_id = p_message;
    case p_update.kind
    when 'edited' then
        v_type := 'message.edited';
        v_told := app.apply_edit(p_user, v_message, p_update);
    when 'deleted' then
        v_type := 'message.deleted';
        v_told := app.apply_deletion(p_user, v_message, p_update);
    when 'reaction' then
        v_type := 'message.reaction';
        v_told := app.apply_reaction(p_user, v_message, p_update);
    else
        v_type := 'message.status_changed';
        v_told := app.apply_status(p_user, v_message, p_update);
    end case;
    if v_told is null then
        return;
    end if;
    perform app.record(p_user, v_type, c.contact_id, c.conversation_id, p_message, null,
                       v_told || jsonb_build_object('external_id', p_update.external_id))
       from conversations c where c.user_id = p_user and c.conversation_id = v_message.conversation_id;
    if v_type in ('message.edited', 'message.deleted') then
        perform app.refresh_conversation(p_user, v_message.conversation_id, p_message);
    end if;
    if v_type = 'message.edited' and v_message.direction = 'inbound' and p_update.classification is not null then
        perform app.record(p_user, 'message.classified', c.contact_id, c.conversation_id, p_message, null, p_update.classification)
           from conversations c where c.user_id = p_user and c.conversation_id = v_message.conversation_id;
    end if;
end $$;

-- Whether the side that edited or deleted is the one that wrote; where it is not told, it may be.
create function app.is_of_its_side(p_message messages, p_update message_updates) returns boolean
language sql immutable
as $$ select coalesce(p_update.from_business = (p_message.direction = 'outbound'), true) $$;

create function app.apply_edit(p_user uuid, p_message messages, p_update message_updates) returns jsonb
language plpgsql volatile
as $$
begin
    if p_message.deleted_at is not null or p_message.edited_at > p_update.happened_at
       or not app.is_of_its_side(p_message, p_update) then
        return null;
    end if;
    update messages
       set body = p_update.body, edited_at = p_update.happened_at,
           classification = case when direction = 'inbound' then p_update.classification end
     where user_id = p_user and message_id = p_message.message_id;
    return '{}';
end $$;

create function app.apply_deletion(p_user uuid, p_message messages, p_update message_updates) returns jsonb
language plpgsql volatile
as $$
begin
    if p_message.deleted_at is not null or not app.is_of_its_side(p_message, p_update) then
        return null;
    end if;
    update messages set body = '', attachments = '[]', "order" = null, subject = null, deleted_at = p_update.happened_at
     where user_id = p_user and message_id = p_message.message_id;
    delete from message_payloads where user_id = p_user and message_id = p_message.message_id;
    update message_updates set body = null, payload = null
     where user_id = p_user and channel_type = p_update.channel_type and external_id = p_update.external_id
       and kind = 'edited';
    return '{}';
end $$;

create function app.apply_reaction(p_user uuid, p_message messages, p_update message_updates) returns jsonb
language plpgsql volatile
as $$
begin
    if p_message.deleted_at is not null or p_message.reacted_at > p_update.happened_at then
        return null;
    end if;
    update messages
       set reacted_at = p_update.happened_at,
           reactions = case when p_update.body is null then '[]'
               else jsonb_build_array(jsonb_build_object('emoji', p_update.body, 'sent_at',
                   to_char(p_update.happened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) end
     where user_id = p_user and message_id = p_message.message_id;
    return jsonb_build_object('emoji', p_update.body);
end $$;

-- Statuses only move forward, whatever order they come in.
create function app.apply_status(p_user uuid, p_message messages, p_update message_updates) returns jsonb
language plpgsql volatile
as $$
begin
    if p_message.direction = 'inbound' or p_message.status = 'failed'
       or (p_update.kind = 'failed' and p_message.status not in ('queued', 'sent'))
       or app.status_rank(p_update.kind) <= app.status_rank(p_message.status) then
        return null;
    end if;
    update messages set status = p_update.kind, error = p_update.error
     where user_id = p_user and message_id = p_message.message_id;
    return jsonb_strip_nulls(jsonb_build_object('status', p_update.kind, 'error', p_update.error));
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
    insert into message_updates (user_id, channel_type, external_id, kind, detail, body, error, happened_at,
                                 classification, payload, from_business)
    values (p_user, p_item ->> 'channel_type', p_item ->> 'target', p_item ->> 'update', p_item ->> 'detail',
            p_item ->> 'text', p_item ->> 'error', coalesce((p_item ->> 'sent_at')::timestamptz, now()),
            nullif(p_item -> 'classification', 'null'), (p_item ->> 'raw')::json,
            (p_item ->> 'from_business')::boolean)
    on conflict do nothing
    returning * into v_update;
    if v_update.number is not null and v_message.message_id is not null then
        perform app.apply_update(p_user, v_message.message_id, v_update);
    end if;
    return jsonb_build_object('duplicate', v_update.number is null, 'message_id', v_message.message_id,
                              'conversation_id', v_message.conversation_id, 'contact_id', v_contact);
end $$;

-- "Everything up to this moment was delivered (or read)": Messenger's word without message ids.
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
           and m.status <> 'queued' -- nobody has sent it yet
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

-- What is of no interest, kept with its reason; what it tells nonetheless is done.
create function app.take_in_ignored(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_fact jsonb;
begin
    insert into ignored_items (user_id, ignored_id, channel_type, provider, kind, reason, payload, size)
    values (p_user, (p_item ->> 'message_id')::uuid, p_item ->> 'channel_type', p_item ->> 'provider',
            p_item ->> 'ignored_kind', p_item ->> 'reason', (p_item ->> 'raw')::json, octet_length(p_item ->> 'raw'))
    on conflict do nothing;
    if found then
        for v_fact in select f from jsonb_array_elements(p_item -> 'facts') f loop
            if v_fact ->> 'about' = 'contact' then
                perform app.note_wish(p_user, p_item, v_fact);
            else
                perform app.note_state(p_user, p_item, v_fact);
            end if;
        end loop;
    end if;
    return jsonb_build_object('duplicate', false);
end $$;

-- A customer wants no messages, or wants them again; the newest word counts.
create function app.note_wish(p_user uuid, p_item jsonb, p_fact jsonb) returns void
language plpgsql volatile
as $$
declare
    v_handles text[] := array(select jsonb_array_elements_text(p_fact -> 'handles'));
    v_at      timestamptz := least(coalesce((p_fact ->> 'at')::timestamptz, now()), now());
    v_contact uuid := (app.known_identity(p_user, p_item ->> 'channel_type', v_handles)).contact_id;
    v_until   timestamptz;
begin
    if v_contact is null and p_fact ->> 'type' = 'opt_out' and cardinality(v_handles) > 0 then
        v_contact := app.person_for(p_user, p_item ->> 'channel_type', v_handles, p_fact -> 'others', null);
    end if;
    if p_fact ->> 'type' = 'opt_out' then
        update contacts set opted_out_at = v_at, updated_at = now()
         where user_id = p_user and contact_id = v_contact and opted_out_at is null
        returning opted_out_at into v_until;
    else
        update contacts set opted_out_at = null, updated_at = now()
         where user_id = p_user and contact_id = v_contact and opted_out_at <= v_at;
    end if;
    if found then
        perform app.record(p_user, 'contact.updated', v_contact, null, null, null,
                           jsonb_build_object('opted_out_at', v_until));
    end if;
end $$;

-- How an account fares: told when it changes, not each time that the messenger says it.
create function app.note_state(p_user uuid, p_item jsonb, p_fact jsonb) returns void
language plpgsql volatile
as $$
declare
    v_failing boolean := p_fact ->> 'type' = 'channel_error';
    v_at      timestamptz := coalesce((p_fact ->> 'at')::timestamptz, now());
    v_was     channel_states;
begin
    select * into v_was from channel_states s
     where s.user_id = p_user and s.channel_type = p_item ->> 'channel_type' and s.about = p_fact ->> 'about'
       and s.account = coalesce(p_item ->> 'recipient', '') and s.subject = coalesce(p_fact ->> 'subject', '')
       for no key update;
    if v_was.changed_at > v_at or v_failing = coalesce(v_was.failing, false) then
        return;
    end if;
    insert into channel_states as s (user_id, channel_type, account, about, subject, failing, detail, changed_at)
    values (p_user, p_item ->> 'channel_type', coalesce(p_item ->> 'recipient', ''), p_fact ->> 'about',
            coalesce(p_fact ->> 'subject', ''), v_failing, p_fact ->> 'detail', v_at)
    on conflict (user_id, channel_type, account, about, subject) do update
       set failing = excluded.failing, detail = excluded.detail, changed_at = excluded.changed_at;
    perform app.record(p_user, case when v_failing then 'channel.error' else 'channel.recovered' end, null, null, null, null,
                       jsonb_build_object(
                           'channel_type', p_item ->> 'channel_type', 'account', p_item ->> 'recipient',
                           'channel_id', app.known_channel(p_user, p_item ->> 'channel_type', p_item ->> 'recipient'),
                           'provider', p_item ->> 'provider', 'about', p_fact ->> 'about', 'subject', p_fact ->> 'subject',
                           'code', p_fact ->> 'code', 'provider_code', p_fact ->> 'provider_code',
                           'detail', p_fact ->> 'detail'));
end $$;

-- Of what is ignored the newest 1,000, and of them those that fit into 64 MiB.
create function app.trim_ignored(p_user uuid) returns void
language sql volatile
as $$
    delete from ignored_items i using (
        select ignored_id, row_number() over newest as place, sum(size) over newest as bytes
          from ignored_items where user_id = p_user
        window newest as (order by received_at desc, ignored_id desc)
    ) old
     where i.user_id = p_user and i.ignored_id = old.ignored_id and (old.place > 1000 or old.bytes > 67108864)
$$;

-- Whether an item tells of identities that are not yet one person's: then it needs the tenant's people for itself.
create function app.tells_people(p_user uuid, p_item jsonb) returns boolean
language sql stable
as $$
    select count(distinct i.contact_id) <> 1 or count(i.contact_id) <> count(*)
      from (select p_item -> 'handles' as told union all select o from jsonb_array_elements(p_item -> 'others') o) g
     cross join lateral app.known_identity(
         p_user, p_item ->> 'channel_type', array(select jsonb_array_elements_text(g.told))) i
$$;

-- Locks the conversations that a tenant's items will write into and that are there already, in one order for all
-- batches; those that are made follow in the order of the items' keys. So batches do not deadlock.
create function app.hold_conversations(p_user uuid, p_items jsonb) returns void
language plpgsql volatile
as $$
begin
    perform 1 from conversations c
     where c.user_id = p_user and c.conversation_id in (
        select v.conversation_id from jsonb_array_elements(p_items) i
          join contact_identities t on t.user_id = p_user and t.channel_type = i ->> 'channel_type'
           and t.value in (select jsonb_array_elements_text(i -> 'handles'))
          join conversations v on v.user_id = p_user and v.contact_id = t.contact_id
        union
        select m.conversation_id from jsonb_array_elements(p_items) i
          join channels h on h.user_id = p_user and h.type = i ->> 'channel_type'
          join messages m on m.user_id = p_user and m.channel_id = h.channel_id
           and m.dedupe_key in (i ->> 'target', i ->> 'dedupe_key'))
     order by c.conversation_id for no key update;
end $$;

-- One item, by its kind.
create function app.take_in_item(p_user uuid, p_item jsonb) returns jsonb
language sql volatile
as $$
    select case p_item ->> 'kind'
        when 'message' then app.take_in_message(p_user, p_item)
        when 'echo'    then app.take_in_echo(p_user, p_item)
        when 'ignored' then app.take_in_ignored(p_user, p_item)
        else case when p_item ->> 'target' is null then app.take_in_watermark(p_user, p_item)
                  else app.take_in_update(p_user, p_item) end end
$$;

-- The locks of a whole batch, each kind in the order of its keys: the tenants' people (alone where people are told
-- anew), messenger ids, channels. The tenants' hats are on and off meanwhile.
create function app.hold_batch(p_items jsonb) returns void
language plpgsql volatile
as $$
declare
    v_user  uuid;
    v_items jsonb;
    v_item  jsonb;
    v_alone boolean;
begin
    for v_user, v_items in
        select (i ->> 'user_id')::uuid, jsonb_agg(i order by i ->> 'channel_type', i ->> 'recipient')
          from jsonb_array_elements(p_items) i group by 1 order by app.people_lock((i ->> 'user_id')::uuid)
    loop
        perform app.act_as(v_user);
        v_alone := exists (select from jsonb_array_elements(v_items) i
                            where jsonb_array_length(coalesce(i -> 'others', '[]')) > 0 and app.tells_people(v_user, i));
        if v_alone then
            perform pg_advisory_xact_lock(app.people_lock(v_user));
        else
            perform pg_advisory_xact_lock_shared(app.people_lock(v_user));
        end if;
    end loop;
    perform pg_advisory_xact_lock(k) from (
        select distinct hashtextextended(concat_ws(' ', i ->> 'user_id', i ->> 'channel_type', i ->> 'target'), 0) as k
          from jsonb_array_elements(p_items) i where i ->> 'target' is not null order by 1
    ) keys;
    v_user := null;
    for v_item in
        select i from jsonb_array_elements(p_items) i where i ->> 'kind' in ('message', 'echo')
         order by i ->> 'user_id', i ->> 'channel_type', i ->> 'recipient'
    loop
        if (v_item ->> 'user_id')::uuid is distinct from v_user then
            v_user := (v_item ->> 'user_id')::uuid;
            perform app.act_as(v_user);
        end if;
        if (app.seen_message(v_user, v_item)).message_id is null then -- a duplicate makes no channel
            perform app.channel_for(v_user, v_item ->> 'channel_type', v_item ->> 'recipient');
        end if;
    end loop;
end $$;

-- p_items: [{user_id, kind, channel_type, recipient, handles, others, target, ...}], in the order of their keys.
-- Locks are taken in one order by every batch (hold_batch, then each tenant's conversations), so batches do not
-- deadlock. Each item wears its own tenant's hat: row level security holds here too.
create or replace function app.take_in(p_items jsonb) returns jsonb
language plpgsql volatile set lock_timeout = '2s'
as $$
declare
    v_item    jsonb;
    v_user    uuid;
    v_worn    uuid;
    v_results jsonb := '[]';
begin
    perform app.hold_batch(p_items);
    for v_user, v_item in select (i ->> 'user_id')::uuid, i from jsonb_array_elements(p_items) with ordinality as t (i, n) order by n
    loop
        if v_user is distinct from v_worn then
            perform app.act_as(v_user);
            v_worn := v_user;
            perform app.hold_conversations(v_user, jsonb_agg(i))
               from jsonb_array_elements(p_items) i where (i ->> 'user_id')::uuid = v_user having count(*) > 1;
        end if;
        v_results := v_results || app.take_in_item(v_user, v_item);
    end loop;
    for v_user in
        select distinct (i ->> 'user_id')::uuid from jsonb_array_elements(p_items) i where i ->> 'kind' = 'ignored'
    loop
        perform app.act_as(v_user);
        perform app.trim_ignored(v_user);
    end loop;
    return v_results;
end $$;
