-- depends: 0035.hook_connection

-- Messages on their way out: scheduled ones, what somebody else was given to send, and why one failed.
alter table messages
    drop constraint messages_status,
    add constraint messages_status check (status in ('received', 'scheduled', 'queued', 'sent', 'delivered', 'read',
                                                     'failed', 'cancelled')),
    add column scheduled_at    timestamptz,
    add column cancel_on_reply boolean,
    add column template        jsonb,
    add column failure         jsonb,
    add column delivery        jsonb,
    add column queued_at       timestamptz,
    add column due_at          timestamptz,
    add column claim           jsonb;

-- Only of rows from now on: what has waited for months is not fresh.
alter table messages alter column queued_at set default now();

comment on column messages.failure is 'why it failed or waits: {code, detail, remedy, provider_code, retryable}; `error` is an older version''s text';

comment on column messages.delivery is 'how its delivery ended; while it goes on, its rows in deliveries tell';

comment on column messages.queued_at is 'when it was last put in the queue; null: by an older version';

comment on column messages.due_at is 'when the sweep looks at it: scheduled, out on a lease, or of unknown outcome';

comment on column messages.claim is 'of one that was handed out: {state: leased|held, attempts, on_unknown}';

create index messages_due on messages (due_at) where due_at is not null;

create index messages_outbox on messages (user_id, status, message_id desc)
    where status in ('scheduled', 'queued', 'failed', 'cancelled');

create index messages_scheduled on messages (user_id, conversation_id) where status = 'scheduled';

-- A watermark moves only what was sent: a queued message is none, nor a cancelled one.
create or replace function app.status_rank(p_status text) returns integer
language sql immutable
as $$ select array_position(array['sent', 'delivered', 'read'], p_status) $$;

do $$
begin
    if not exists (select from pg_roles where rolname = 'alfred_deliver') then
        create role alfred_deliver nologin;
    end if;
    if not pg_has_role(current_user, 'alfred_deliver', 'usage') then
        grant alfred_deliver to current_user;
    end if;
exception when duplicate_object or unique_violation then
    null;
end $$;

grant usage, create on schema app to alfred_deliver;

create policy messages_deliver on messages for select to alfred_deliver using (true);

grant select on messages to alfred_deliver;

-- Whose messages are to be looked at: the sweep then acts under each tenant's own hat.
create function app.due_messages(p_limit integer) returns table (user_id uuid, message_id uuid, conversation_id uuid, status text)
language sql stable security definer set search_path = public, pg_temp
as $$
    select m.user_id, m.message_id, m.conversation_id, m.status from messages m
     where m.due_at <= now() order by m.due_at limit p_limit
$$;

alter function app.due_messages(integer) owner to alfred_deliver;

revoke create on schema app from alfred_deliver;

-- What a status does to its message; what a customer changes stays in app.apply_change().
alter function app.apply_update(uuid, uuid, message_updates) rename to apply_change;

create function app.apply_update(p_user uuid, p_message uuid, p_update message_updates) returns void
language plpgsql volatile
as $$
begin
    if p_update.kind in ('sent', 'delivered', 'read', 'failed') then
        perform app.apply_status(p_user, p_message, p_update.kind, app.failure_of(p_update.error), p_update.external_id);
    else
        perform app.apply_change(p_user, p_message, p_update);
    end if;
end $$;

-- A reason as JSON; an older version wrote words.
create function app.failure_of(p_error text) returns jsonb
language sql immutable
as $$
    select case when p_error is null then null
                when p_error like '{"%' then p_error::jsonb
                else jsonb_build_object('code', 'provider_error', 'detail', p_error, 'remedy', 'retry_later',
                                        'provider_code', null, 'retryable', false) end
$$;

-- Forward only; failed is final, but for one whose outcome nobody knew.
create function app.apply_status(p_user uuid, p_message uuid, p_status text, p_failure jsonb, p_external_id text)
returns void
language plpgsql volatile
as $$
declare
    v_message messages;
begin
    select * into v_message from messages where user_id = p_user and message_id = p_message for no key update;
    if v_message.direction is distinct from 'outbound' or v_message.status in ('scheduled', 'cancelled')
       or (v_message.status = 'failed' and v_message.failure ->> 'code' is distinct from 'outcome_unknown')
       or (p_status = 'failed' and v_message.status not in ('queued', 'sent', 'failed'))
       or (p_status <> 'failed' and app.status_rank(p_status) <= app.status_rank(v_message.status)) then
        return;
    end if;
    update messages
       set status = p_status, failure = case when p_status = 'failed' then p_failure end,
           error = case when p_status = 'failed' then p_failure ->> 'detail' end, due_at = null
     where user_id = p_user and message_id = p_message;
    perform app.record(p_user, 'message.status_changed', c.contact_id, c.conversation_id, p_message, null,
                       jsonb_strip_nulls(jsonb_build_object('external_id', p_external_id, 'status', p_status,
                                                            'error', case when p_status = 'failed' then p_failure end)))
       from conversations c where c.user_id = p_user and c.conversation_id = v_message.conversation_id;
end $$;

-- What a messenger told of before its own answer was stored as a message of its own: the copy goes, ours stays.
create function app.absorb_echo(p_user uuid, p_channel uuid, p_external_id text, p_message uuid) returns void
language plpgsql volatile
as $$
declare
    v_copy messages;
begin
    delete from messages
     where user_id = p_user and channel_id = p_channel and dedupe_key = p_external_id and source = 'native_app'
       and message_id <> p_message
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
