-- depends: 0091.passed_over

-- An event tells of what a message was classified as only that it is urgent, by which consumers choose: the rest is told from
-- the message.

-- What a message is known by was written once more into an index, after tenant and channel, in pages that were half empty: a
-- thirteenth of a message. Of all three 16 bytes of their digest tell as much.
create function app.message_digest(p_user uuid, p_channel uuid, p_key text) returns uuid
language sql immutable strict parallel safe
as $$
    select encode(substr(sha256(uuid_send(p_user) || uuid_send(p_channel) || replace(p_key, '\', '\\')::bytea), 1, 16),
                  'hex')::uuid
$$;

create unique index messages_by_digest on messages (app.message_digest(user_id, channel_id, dedupe_key));

grant create on schema app to alfred_intake;

-- The tenant's messages with these keys on these channels. A condition on a function is none for an index under row level
-- security, so it looks past that, and makes sure of the tenant itself.
create function app.messages_keyed(p_channels uuid[], p_keys text[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off set jit = off
as $$
    select m.message_id
      from unnest(p_channels) c (channel_id)
     cross join unnest(p_keys) k (dedupe_key)
      join messages m on app.message_digest(m.user_id, m.channel_id, m.dedupe_key)
                       = app.message_digest(app.current_user_id(), c.channel_id, k.dedupe_key)
$$;

alter function app.messages_keyed(uuid[], text[]) owner to alfred_intake;

revoke execute on function app.messages_keyed(uuid[], text[]) from public;

grant execute on function app.messages_keyed(uuid[], text[]) to alfred_app;

revoke create on schema app from alfred_intake;

create or replace function app.message_by_id(p_user uuid, p_type text, p_account text, p_external_id text) returns messages
language sql stable
as $$
    select m.* from channels h
     cross join app.messages_keyed(array[h.channel_id], array[p_external_id]) k (message_id)
      join messages m on m.user_id = h.user_id and m.message_id = k.message_id
     where h.user_id = p_user and h.type = p_type
     order by h.external_account_id is not distinct from p_account desc limit 1
$$;

-- The message that was taken in already under this key, if any: on the channel of the account, or where one of the two
-- posts does not name its account.
create or replace function app.seen_message(p_user uuid, p_item jsonb) returns messages
language sql stable
as $$
    select m.* from channels h
     cross join app.messages_keyed(array[h.channel_id], array[p_item ->> 'dedupe_key']) k (message_id)
      join messages m on m.user_id = h.user_id and m.message_id = k.message_id
     where h.user_id = p_user and h.type = p_item ->> 'channel_type'
       and (h.external_account_id = p_item ->> 'recipient'
            or h.external_account_id is null or p_item ->> 'recipient' is null)
     order by h.external_account_id is not distinct from p_item ->> 'recipient' desc limit 1
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
           and m.message_id = any (v_message || array(
                   select app.messages_keyed(array[v_conversation.channel_id], array[p_item ->> 'dedupe_key']))) limit 1;
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
                   ('message.classified', case p_item #>> '{classification,urgency}'
                                          when 'high' then '{"urgency": "high"}'::jsonb else '{}' end)
           ) as e (type, payload);
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

create or replace function app.take_in_new_echo(p_user uuid, p_item jsonb) returns jsonb
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
           and m.message_id = any (v_message || array(
                   select app.messages_keyed(array[v_conversation.channel_id], array[p_item ->> 'dedupe_key']))) limit 1;
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

-- The row of a message, of either direction, its payload and the files that came with it; false where it is there already.
create or replace function app.add_message(p_user uuid, p_item jsonb, p_conversation conversations, p_direction text, p_sent_at timestamptz)
returns boolean
language plpgsql volatile
as $$
begin
    insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key,
                          body, attachments, reply_to_id, status, classification, sent_at, author, source,
                          subject, references_, referral, "order")
    values (p_user, (p_item ->> 'message_id')::uuid, p_conversation.conversation_id, p_conversation.channel_id, p_direction,
            p_item ->> 'external_id', p_item ->> 'dedupe_key', coalesce(p_item ->> 'text', ''), p_item -> 'attachments',
            (select r from app.messages_keyed(array[p_conversation.channel_id], array[p_item ->> 'reply_to']) r),
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
    insert into media (user_id, channel_id, message_id, position, state, sha256, size, mime_type, file_name, error)
    select p_user, p_conversation.channel_id, (p_item ->> 'message_id')::uuid, f.position - 1, f.file ->> 'state',
           f.file ->> 'sha256', (f.file ->> 'size')::bigint, f.file ->> 'mime_type', f.file ->> 'file_name',
           nullif(f.file -> 'error', 'null')
      from jsonb_array_elements(p_item -> 'files') with ordinality as f (file, position)
     where f.file <> 'null';
    return true;
end $$;

-- What a messenger told of before its own answer was stored as a message of its own: the copy goes, ours stays.
create or replace function app.absorb_echo(p_user uuid, p_channel uuid, p_external_id text, p_message uuid) returns void
language plpgsql volatile
as $$
declare
    v_copy messages;
begin
    delete from messages
     where user_id = p_user and message_id = any (array(select app.messages_keyed(array[p_channel], array[p_external_id])))
       and source = 'native_app' and message_id <> p_message
    returning * into v_copy;
    if not found then
        return;
    end if;
    update messages set reply_to_id = p_message
     where user_id = p_user and conversation_id = v_copy.conversation_id and reply_to_id = v_copy.message_id;
    update messages set reactions = v_copy.reactions, reacted_at = v_copy.reacted_at
     where user_id = p_user and message_id = p_message and v_copy.reactions <> '[]';
    update conversations set last_message_id = p_message
     where user_id = p_user and conversation_id = v_copy.conversation_id and last_message_id = v_copy.message_id;
    perform app.record(p_user, 'message.deleted', c.contact_id, c.conversation_id, v_copy.message_id, null,
                       jsonb_build_object('external_id', p_external_id, 'same_as', p_message))
       from conversations c where c.user_id = p_user and c.conversation_id = v_copy.conversation_id;
end $$;

-- A part has the messenger's id, which nobody else has; the first part's is the message's.
create or replace function app.name_delivery(p_user uuid, p_delivery deliveries, p_external_id text) returns void
language plpgsql volatile
as $$
begin
    if p_external_id is null or p_delivery.external_id is not null
       or exists (select from deliveries d where d.user_id = p_user and d.channel_id = p_delivery.channel_id
                     and d.external_id = p_external_id) then
        return;
    end if;
    update deliveries set external_id = p_external_id where user_id = p_user and delivery_id = p_delivery.delivery_id;
    if p_delivery.message_id is not null then
        perform app.absorb_echo(p_user, p_delivery.channel_id, p_external_id, p_delivery.message_id);
        update messages m set external_id = p_external_id, dedupe_key = p_external_id
         where m.user_id = p_user and m.message_id = p_delivery.message_id and p_delivery.part = 1
           and m.external_id is null
           and not exists (select from app.messages_keyed(array[m.channel_id], array[p_external_id]));
    end if;
end $$;

-- As before, by arrays: a plan made before the tables have statistics finds the indexes too. (A post of 50 new
-- customers took 200 ms on a fresh database, 2 ms with statistics.)
create or replace function app.hold_conversations(p_user uuid, p_items jsonb) returns void
language plpgsql volatile
as $$
declare
    v_types    text[] := array(select distinct i ->> 'channel_type' from jsonb_array_elements(p_items) i);
    v_handles  text[] := array(select distinct h from jsonb_array_elements(p_items) i
                                 cross join jsonb_array_elements_text(i -> 'handles') h);
    v_keys     text[] := array(select distinct k from jsonb_array_elements(p_items) i
                                 cross join lateral (values (i ->> 'target'), (i ->> 'dedupe_key')) key (k)
                                where k is not null);
    v_channels uuid[] := array(select channel_id from channels where user_id = p_user and type = any (v_types));
    v_contacts uuid[] := array(select contact_id from contact_identities
                                where user_id = p_user and channel_type = any (v_types) and value = any (v_handles));
    v_held     uuid[] := array(select conversation_id from conversations
                                where user_id = p_user and contact_id = any (v_contacts)
                                union
                               select conversation_id from messages
                                where user_id = p_user
                                  and message_id = any (array(select app.messages_keyed(v_channels, v_keys))));
begin
    perform 1 from conversations
     where user_id = p_user and conversation_id = any (v_held)
     order by conversation_id for no key update;
end $$;

-- Takes in the plain messages of a batch: for each item its outcome, or null where it is left for app.take_in. Either
-- all items of a post are taken in or none. An item is plain when its channel, its handle as written, its contact's name
-- and its conversation are there, when it is new, the newest, and told once, when nothing told of it waits, and the
-- conversation is at work and held by nobody else. A message that came at the same moment by another way violates a key,
-- and nothing of the batch is written: row by row it is told as a duplicate.
create or replace function app.take_in_known(p_items jsonb) returns jsonb
language plpgsql volatile security definer set search_path = public, pg_temp set lock_timeout = '2s'
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_sort = off set jit = off
as $$
declare
    v_results jsonb;
begin
    perform pg_advisory_xact_lock_shared(k) from (
        select distinct app.people_lock((i ->> 'user_id')::uuid) as k from jsonb_array_elements(p_items) i order by 1
    ) keys;
    perform pg_advisory_xact_lock(k) from (
        select distinct hashtextextended(concat_ws(' ', i ->> 'user_id', i ->> 'channel_type', i ->> 'target'), 0) as k
          from jsonb_array_elements(p_items) i where i ->> 'target' is not null order by 1
    ) keys;
    with item as materialized (
        select i.*, least(i.sent_at, now()) as at,
               count(*) over (partition by i.user_id, i.channel_type, i.recipient, i.dedupe_key) as told
          from rows from (jsonb_to_recordset(p_items) as (
                post integer, user_id uuid, channel_type text, recipient text, handles text[], name text, text text,
                sent_at timestamptz, classification jsonb, raw text, message_id uuid, external_id text,
                dedupe_key text, reply_to text, attachments jsonb, subject text, "references" text, "order" jsonb
          )) with ordinality as i (
                post, user_id, channel_type, recipient, handles, name, body, sent_at, classification, raw, message_id,
                external_id, dedupe_key, reply_to, attachments, subject, mails, "order", n)
    ), held as materialized (
        select i.n, c.conversation_id, c.contact_id, c.channel_id
          from item i
          join lateral (
                select h.channel_id from channels h
                 where h.user_id = i.user_id and h.type = i.channel_type
                   and h.external_account_id is not distinct from i.recipient
                 order by h.created_at, h.channel_id limit 1) h on true
          join contact_identities t
            on t.user_id = i.user_id and t.channel_type = i.channel_type and t.value = i.handles[1]
          join conversations c
            on c.user_id = i.user_id and c.channel_id = h.channel_id and c.handle = i.handles[1]
           and c.contact_id = t.contact_id
         where c.status in ('open', 'pending') and i.told = 1 and i.classification is not null
           and (c.last_message_at is null or (i.at, i.message_id) > (c.last_message_at, c.last_message_id))
           and (i.name is null or exists (select from contacts p
                                           where p.user_id = i.user_id and p.contact_id = t.contact_id
                                             and p.name is not null))
           and not exists (select from contact_identities o
                            where o.user_id = i.user_id and o.contact_id = t.contact_id and o.matched_as is not null)
           and not exists (select from channels o
                             join messages m on app.message_digest(m.user_id, m.channel_id, m.dedupe_key)
                                              = app.message_digest(o.user_id, o.channel_id, i.dedupe_key)
                            where o.user_id = i.user_id and o.type = i.channel_type
                              and (o.external_account_id = i.recipient or o.external_account_id is null))
           and not exists (select from message_updates u
                            where u.user_id = i.user_id and u.channel_type = i.channel_type
                              and u.external_id = i.external_id)
         order by c.user_id, c.conversation_id for no key update of c skip locked
    ), plain as materialized (
        select r.* from (
            select i.*, h.conversation_id, h.contact_id, h.channel_id,
                   bool_and(h.n is not null) over (partition by i.post) as whole
              from item i left join held h on h.n = i.n) r
         where r.whole
    ), added as (
        insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key, body,
                              attachments, reply_to_id, status, classification, sent_at, subject, references_, "order")
        select r.user_id, r.message_id, r.conversation_id, r.channel_id, 'inbound', r.external_id, r.dedupe_key,
               coalesce(r.body, ''), r.attachments,
               case when r.reply_to is not null then coalesce(
                   (select q.message_id from messages q
                     where app.message_digest(q.user_id, q.channel_id, q.dedupe_key)
                         = app.message_digest(r.user_id, r.channel_id, r.reply_to)),
                   (select q.message_id from plain q
                     where q.user_id = r.user_id and q.channel_id = r.channel_id and q.dedupe_key = r.reply_to
                       and q.n < r.n)) end,
               'received', r.classification, r.at, r.subject, r.mails, r."order"
          from plain r order by r.n
    ), payloads as (
        insert into message_payloads (user_id, message_id, payload)
        select r.user_id, r.message_id, r.raw::json from plain r order by r.n
    ), shown as (
        update conversations c
           set unread_count           = c.unread_count + l.added,
               waiting_since          = coalesce(c.waiting_since, l.first_at),
               last_message_id        = l.message_id,
               last_message_at        = l.at,
               active_at              = l.at,
               last_message_direction = 'inbound',
               snippet                = app.snippet(coalesce(l.body, ''), l.attachments),
               last_inbound_id        = l.message_id,
               last_inbound_at        = l.at,
               sentiment              = l.classification ->> 'sentiment',
               urgency                = l.classification ->> 'urgency',
               negotiation            = (l.classification ->> 'negotiation')::boolean,
               updated_at             = now()
          from (select r.*, count(*) over w as added, min(at) over w as first_at,
                       row_number() over (w order by at desc, message_id desc) as newest
                  from plain r window w as (partition by user_id, conversation_id)) l
         where l.newest = 1 and c.user_id = l.user_id and c.conversation_id = l.conversation_id
    ), told as (
        insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
        select r.user_id, e.type, r.contact_id, r.conversation_id, r.message_id, e.payload
          from plain r cross join lateral (values
               (1, 'message.received', jsonb_build_object('channel_type', r.channel_type)),
               (2, 'message.classified', case r.classification ->> 'urgency'
                                         when 'high' then '{"urgency": "high"}'::jsonb else '{}' end)) as e (at, type, payload)
         order by r.n, e.at
    )
    select jsonb_agg(case when r.n is not null then jsonb_build_object(
               'duplicate', false, 'message_id', r.message_id,
               'conversation_id', r.conversation_id, 'contact_id', r.contact_id) end order by i.n)
      into v_results
      from item i left join plain r on r.n = i.n;
    return v_results;
end $$;
