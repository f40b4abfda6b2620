-- depends: 0036.outbox

-- What goes over the wire, one row for each call: the parts of a message, and receipts. A conversation sends one at a
-- time, first in, first out: only its head is `waiting`, whoever settles the head makes the next `blocked` row one.
create sequence deliveries_number;

create table deliveries (
    user_id         uuid        not null,
    delivery_id     uuid        not null default app.uuid7(),
    number          bigint      not null default nextval('deliveries_number'),
    message_id      uuid,
    conversation_id uuid        not null,
    channel_id      uuid        not null,
    lane            uuid        not null,
    kind            text        not null,
    part            integer     not null default 1,
    parts           integer     not null default 1,
    payload         jsonb       not null,
    state           text        not null,
    status          text,
    attempts        integer     not null default 0,
    limited         integer     not null default 0,
    due_at          timestamptz not null,
    give_up_at      timestamptz not null,
    lease_until     timestamptz,
    leased_by       uuid,
    external_id     text,
    error           jsonb,
    created_at      timestamptz not null default clock_timestamp(),
    updated_at      timestamptz not null default clock_timestamp(),
    constraint deliveries_key primary key (user_id, delivery_id),
    constraint deliveries_kind check (kind in ('text', 'attachment', 'template', 'mail', 'read', 'typing')),
    constraint deliveries_state check (state in ('blocked', 'waiting', 'sending', 'done', 'unknown', 'dead', 'cancelled')),
    constraint deliveries_status check (status in ('sent', 'delivered', 'read', 'failed')),
    constraint deliveries_message foreign key (user_id, message_id)
        references messages (user_id, message_id) on delete cascade,
    constraint deliveries_conversation foreign key (user_id, conversation_id)
        references conversations (user_id, conversation_id) on delete cascade
);

comment on column deliveries.lane is 'the conversation when the row was made: what the order goes by';

comment on column deliveries.status is 'what the messenger told of this part by webhook';

comment on column deliveries.limited is 'how often the messenger asked to wait: such an attempt does not count';

create index deliveries_due on deliveries (due_at) where state = 'waiting';

create index deliveries_leased on deliveries (lease_until) where state = 'sending';

create index deliveries_given_up on deliveries (give_up_at) where state in ('waiting', 'unknown');

create unique index deliveries_head on deliveries (user_id, lane)
    where state in ('waiting', 'sending') and kind not in ('read', 'typing');

create index deliveries_blocked on deliveries (user_id, lane, number) where state = 'blocked';

create index deliveries_of_message on deliveries (user_id, message_id, part);

create index deliveries_of_conversation on deliveries (user_id, conversation_id);

create index deliveries_of_channel on deliveries (user_id, channel_id) where state in ('waiting', 'blocked');

create unique index deliveries_external_id on deliveries (user_id, channel_id, external_id);

create index deliveries_settled on deliveries (updated_at) where state in ('done', 'dead', 'cancelled');

alter table deliveries enable row level security;

alter table deliveries force row level security;

create policy deliveries_own on deliveries
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy deliveries_service on deliveries to alfred_deliver using (true) with check (true);

create policy connections_deliver on connections for select to alfred_deliver using (true);

create policy conversations_deliver on conversations for select to alfred_deliver using (true);

create policy channels_deliver on channels for select to alfred_deliver using (true);

create policy contacts_deliver on contacts for select to alfred_deliver using (true);

grant select, insert, update, delete on deliveries to alfred_app;

grant usage on sequence deliveries_number to alfred_app;

grant select, update, delete on deliveries to alfred_deliver;

grant select on connections, conversations, channels, contacts to alfred_deliver;

alter table connections
    add column next_slot_at  timestamptz,
    add column pauses        integer not null default 0,
    add column failures      integer not null default 0,
    add column failing_since timestamptz;

comment on column connections.next_slot_at is 'when the channel''s rate allows its next message';

-- When a row of a channel may go, that is due at p_due: not while the channel pauses, never while its token is refused.
create function app.goes_at(p_user uuid, p_channel uuid, p_due timestamptz) returns timestamptz
language sql stable
as $$
    select coalesce((select case when k.state = 'auth_failed' then 'infinity'::timestamptz
                                 else greatest(p_due, k.paused_until) end
                       from connections k where k.user_id = p_user and k.channel_id = p_channel), p_due)
$$;

-- The next row of a lane becomes its head; the conversation is locked by the caller.
create function app.promote(p_user uuid, p_lane uuid) returns void
language sql volatile
as $$
    update deliveries d
       set state = 'waiting', due_at = app.goes_at(p_user, d.channel_id, greatest(d.due_at, clock_timestamp())),
           updated_at = clock_timestamp()
     where d.user_id = p_user
       and d.delivery_id = (select b.delivery_id from deliveries b
                             where b.user_id = p_user and b.lane = p_lane and b.state = 'blocked'
                             order by b.number limit 1)
       and not exists (select from deliveries h
                        where h.user_id = p_user and h.lane = p_lane and h.state in ('waiting', 'sending')
                          and h.kind not in ('read', 'typing'))
$$;

-- The rows of a message; each takes the next slot of its channel's rate. The conversation is locked by the caller.
create function app.make_deliveries(
    p_user uuid, p_message uuid, p_conversation uuid, p_channel uuid, p_parts jsonb, p_rate double precision,
    p_max_age interval
) returns void
language plpgsql volatile
as $$
declare
    v_count integer := jsonb_array_length(p_parts);
    v_first timestamptz := clock_timestamp();
    v_gap   interval := coalesce(make_interval(secs => 1 / p_rate), '0');
begin
    if exists (select from deliveries where user_id = p_user and message_id = p_message) then
        return;
    end if;
    if p_rate is not null then
        update connections k set next_slot_at = greatest(k.next_slot_at, clock_timestamp()) + v_gap * v_count
         where k.user_id = p_user and k.channel_id = p_channel
        returning k.next_slot_at - v_gap * v_count into v_first;
    end if;
    insert into deliveries (user_id, message_id, conversation_id, channel_id, lane, kind, part, parts, payload, state,
                            due_at, give_up_at)
    select p_user, p_message, p_conversation, p_channel, p_conversation, p ->> 'kind', n, v_count, p, 'blocked',
           v_first + v_gap * (n - 1), clock_timestamp() + p_max_age
      from jsonb_array_elements(p_parts) with ordinality as t (p, n) order by n;
    update messages
       set delivery = jsonb_build_object('state', 'waiting', 'attempts', 0, 'next_attempt_at', null, 'parts', v_count,
                                         'parts_sent', 0)
     where user_id = p_user and message_id = p_message;
    perform app.promote(p_user, p_conversation);
end $$;

-- A message's delivery as it is shown: while it goes on its rows tell, afterwards the summary.
create function app.delivery_of(p_user uuid, p_message uuid, p_kept jsonb) returns jsonb
language sql stable
as $$
    select case when p_kept ->> 'state' is distinct from 'waiting' then p_kept else coalesce((
        select jsonb_build_object(
                   'state', case when bool_or(d.state = 'sending') then 'sending' else 'waiting' end,
                   'attempts', max(d.attempts),
                   'next_attempt_at', to_char(min(d.due_at) filter (where d.state = 'waiting' and d.due_at < 'infinity')
                                              at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                   'parts', max(d.parts), 'parts_sent', count(*) filter (where d.state = 'done'))
          from deliveries d where d.user_id = p_user and d.message_id = p_message having count(*) > 0), p_kept) end
$$;

-- The message by the states of its parts; the conversation is locked by the caller.
create function app.settle_message(p_user uuid, p_message uuid) returns void
language plpgsql volatile
as $$
declare
    v_message messages;
    v_all     record;
    v_failure jsonb;
    v_status  text;
begin
    select * into v_message from messages where user_id = p_user and message_id = p_message for no key update;
    select count(*) as parts, count(*) filter (where state = 'done') as sent, max(attempts) as attempts,
           count(*) filter (where state in ('waiting', 'sending', 'blocked')) as open,
           min(part) filter (where state = 'dead') as dead, min(part) filter (where state = 'unknown') as unknown
      into v_all from deliveries where user_id = p_user and message_id = p_message;
    if v_message.message_id is null or v_all.parts = 0 or v_message.status in ('scheduled', 'cancelled')
       or (v_all.open > 0 and v_all.dead is null) then
        return;
    end if;
    select error into v_failure from deliveries
     where user_id = p_user and message_id = p_message and part = coalesce(v_all.dead, v_all.unknown);
    if v_all.parts > 1 and v_failure is not null then
        v_failure := v_failure || jsonb_build_object('detail', format('part %s of %s: %s', coalesce(v_all.dead, v_all.unknown),
                                                                      v_all.parts, v_failure ->> 'detail'));
    end if;
    v_status := case when v_all.dead is not null then 'failed' when v_all.unknown is not null then 'queued' else 'sent' end;
    update messages
       set delivery = jsonb_build_object(
               'state', case v_status when 'failed' then 'dead' when 'queued' then 'unknown' else 'done' end,
               'attempts', v_all.attempts, 'next_attempt_at', null, 'parts', v_all.parts, 'parts_sent', v_all.sent)
     where user_id = p_user and message_id = p_message;
    if v_message.status not in ('queued', 'failed')
       or (v_message.status = v_status and v_message.failure is not distinct from v_failure)
       or (v_message.status = 'failed' and v_message.failure ->> 'code' is distinct from 'outcome_unknown') then
        return;
    end if;
    update messages set status = v_status, failure = v_failure, error = v_failure ->> 'detail'
     where user_id = p_user and message_id = p_message;
    perform app.record(p_user, 'message.status_changed', c.contact_id, c.conversation_id, p_message, null,
                       jsonb_strip_nulls(jsonb_build_object('status', v_status, 'external_id', v_message.external_id,
                                                            'error', v_failure)))
       from conversations c where c.user_id = p_user and c.conversation_id = v_message.conversation_id;
end $$;

-- A part has the messenger's id, which nobody else has; the first part's is the message's.
create function app.name_delivery(p_user uuid, p_delivery deliveries, p_external_id text) returns void
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
           and not exists (select from messages o where o.user_id = p_user and o.channel_id = m.channel_id
                              and o.dedupe_key = p_external_id);
    end if;
end $$;

-- A part is out: the next one goes, the message may be sent, and what was told of it already is applied.
create function app.deliver_part(p_user uuid, p_delivery deliveries) returns void
language plpgsql volatile
as $$
declare
    v_id text;
begin
    update deliveries set state = 'done', error = null, lease_until = null, updated_at = clock_timestamp()
     where user_id = p_user and delivery_id = p_delivery.delivery_id
    returning external_id into v_id;
    update deliveries set state = 'blocked', updated_at = clock_timestamp()
     where user_id = p_user and message_id = p_delivery.message_id and state = 'cancelled' and part > p_delivery.part
       and exists (select from messages m where m.user_id = p_user and m.message_id = p_delivery.message_id
                      and m.status <> 'cancelled');
    perform app.promote(p_user, p_delivery.lane);
    if p_delivery.message_id is not null then
        perform app.settle_message(p_user, p_delivery.message_id);
        perform app.apply_waiting(p_user, h.type, v_id, p_delivery.message_id)
           from channels h where h.user_id = p_user and h.channel_id = p_delivery.channel_id and v_id is not null;
    end if;
end $$;

-- What a call brought. p_result: {kind: done|wait|held|dead|unknown, external_id, error, wait, counts, pause}.
-- Locks in the order of take_in: messenger id, conversation, row. Only the worker that has the row settles it; one that
-- comes too late still proves that the part is out.
create function app.settle_delivery(p_user uuid, p_delivery uuid, p_worker uuid, p_result jsonb) returns text
language plpgsql volatile set lock_timeout = '3s'
as $$
declare
    v_row  deliveries;
    v_kind text := p_result ->> 'kind';
begin
    perform app.act_as(p_user);
    perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', p_user, h.type, p_result ->> 'external_id'), 0))
       from deliveries d join channels h using (user_id, channel_id)
      where d.user_id = p_user and d.delivery_id = p_delivery and p_result ->> 'external_id' is not null;
    perform from conversations c join deliveries d using (user_id, conversation_id)
      where d.user_id = p_user and d.delivery_id = p_delivery for no key update of c;
    select * into v_row from deliveries where user_id = p_user and delivery_id = p_delivery for update;
    if v_row.leased_by is distinct from p_worker
       or not (v_row.state = 'sending' or (v_row.state = 'unknown' and v_kind = 'done')) then
        return 'late';
    end if;
    if v_kind = 'unknown' and v_row.external_id is not null then
        v_kind := 'done'; -- its status or echo came first
    end if;
    case v_kind
    when 'done' then
        perform app.name_delivery(p_user, v_row, p_result ->> 'external_id');
        perform app.deliver_part(p_user, v_row);
    when 'wait' then
        update deliveries
           set state = 'waiting', lease_until = null, error = p_result -> 'error', updated_at = clock_timestamp(),
               payload = coalesce(p_result -> 'payload', payload),
               attempts = attempts - case when (p_result ->> 'counts')::boolean then 0 else 1 end,
               limited = limited + case when (p_result ->> 'counts')::boolean then 0 else 1 end,
               due_at = app.goes_at(p_user, channel_id,
                                    clock_timestamp() + make_interval(secs => (p_result ->> 'wait')::double precision))
         where user_id = p_user and delivery_id = p_delivery;
    when 'held' then
        update deliveries
           set state = 'waiting', lease_until = null, error = p_result -> 'error', updated_at = clock_timestamp(),
               attempts = attempts - 1, due_at = 'infinity'
         where user_id = p_user and delivery_id = p_delivery;
    else
        update deliveries
           set state = v_kind, lease_until = null, error = p_result -> 'error', updated_at = clock_timestamp(),
               give_up_at = case when v_kind = 'unknown' then clock_timestamp() + interval '24 hours' else give_up_at end
         where user_id = p_user and delivery_id = p_delivery;
        update deliveries set state = 'cancelled', updated_at = clock_timestamp()
         where user_id = p_user and message_id = v_row.message_id and part > v_row.part and state = 'blocked';
        perform app.promote(p_user, v_row.lane);
        if v_row.message_id is not null then
            perform app.settle_message(p_user, v_row.message_id);
        end if;
    end case;
    if v_row.kind not in ('read', 'typing') then
        perform app.note_channel(p_user, v_row.channel_id, p_result);
    end if;
    return v_kind;
end $$;

-- What a call tells of its channel. A row that many calls share: written only where something changes.
create function app.note_channel(p_user uuid, p_channel uuid, p_result jsonb) returns void
language plpgsql volatile
as $$
declare
    v_was  connections;
    v_told text := p_result ->> 'channel';
begin
    select * into v_was from connections where user_id = p_user and channel_id = p_channel;
    if not found or v_told is null or (v_told = 'well' and v_was.state = 'connected' and v_was.failures = 0
                                       and v_was.pauses = 0) then
        return;
    end if;
    select * into v_was from connections where user_id = p_user and channel_id = p_channel for no key update;
    case v_told
    when 'well' then
        update connections
           set state = 'connected', failures = 0, pauses = 0, failing_since = null, error = null,
               paused_until = case when paused_until > clock_timestamp() then paused_until end
         where user_id = p_user and channel_id = p_channel;
    when 'failing' then
        update connections
           set failures = failures + 1, error = p_result -> 'error',
               state = case when failures + 1 >= 5 and state <> 'auth_failed' then 'failing' else state end,
               failing_since = case when failures + 1 >= 5 then coalesce(failing_since, clock_timestamp()) end
         where user_id = p_user and channel_id = p_channel;
    when 'paused' then
        update connections
           set pauses = pauses + 1, error = p_result -> 'error',
               paused_until = greatest(paused_until, clock_timestamp() + make_interval(
                   secs => coalesce((p_result ->> 'pause')::double precision, least(60 * 2 ^ pauses, 3600))))
         where user_id = p_user and channel_id = p_channel;
        update deliveries d set due_at = app.goes_at(p_user, p_channel, d.due_at)
         where d.user_id = p_user and d.channel_id = p_channel and d.state = 'waiting' and d.kind not in ('read', 'typing');
    when 'auth_failed' then
        update connections set state = 'auth_failed', error = p_result -> 'error', failing_since = null
         where user_id = p_user and channel_id = p_channel;
        update deliveries d set due_at = 'infinity'
         where d.user_id = p_user and d.channel_id = p_channel and d.state = 'waiting';
    end case;
    if v_told = 'auth_failed' and v_was.state <> 'auth_failed' then
        perform app.record(p_user, 'channel.error', p_payload => jsonb_build_object(
            'channel_id', p_channel, 'state', 'auth_failed', 'error', p_result -> 'error',
            'detail', p_result -> 'error' ->> 'detail', 'channel', (
                select h.name from channels h where h.user_id = p_user and h.channel_id = p_channel)));
    elsif v_told = 'well' and v_was.state in ('failing', 'auth_failed') then
        perform app.record(p_user, 'channel.recovered', p_payload => jsonb_build_object('channel_id', p_channel));
    end if;
end $$;

-- A proof came from elsewhere (a status or an echo that names our own id): what nobody knew is out.
create function app.bind_delivery(p_user uuid, p_delivery uuid, p_external_id text) returns void
language plpgsql volatile
as $$
declare
    v_row deliveries;
begin
    perform from conversations c join deliveries d using (user_id, conversation_id)
      where d.user_id = p_user and d.delivery_id = p_delivery for no key update of c;
    select * into v_row from deliveries where user_id = p_user and delivery_id = p_delivery for update;
    if not found or v_row.state in ('done', 'blocked', 'cancelled') then
        return;
    end if;
    perform app.name_delivery(p_user, v_row, p_external_id);
    if v_row.state in ('unknown', 'waiting')
       or (v_row.state = 'dead' and v_row.error ->> 'code' = 'outcome_unknown') then
        perform app.deliver_part(p_user, v_row);
    end if;
end $$;

-- Whether nothing of a queued message is under way or out; then its rows are cancelled.
create function app.withdraw(p_user uuid, p_message uuid) returns boolean
language plpgsql volatile
as $$
declare
    v_lane uuid;
begin
    perform from deliveries where user_id = p_user and message_id = p_message for update;
    select min(lane::text)::uuid into v_lane from deliveries where user_id = p_user and message_id = p_message;
    if exists (select from deliveries where user_id = p_user and message_id = p_message
                  and state in ('sending', 'done', 'unknown', 'dead')) then
        return false;
    end if;
    update deliveries set state = 'cancelled', updated_at = clock_timestamp()
     where user_id = p_user and message_id = p_message;
    update messages set delivery = delivery || '{"state": "cancelled"}'
     where user_id = p_user and message_id = p_message and delivery is not null;
    perform app.promote(p_user, v_lane);
    return true;
end $$;

-- Another try: the parts that are not out begin anew, under the ids that they had. Whether there were any.
create function app.renew_deliveries(p_user uuid, p_message uuid, p_max_age interval) returns boolean
language plpgsql volatile
as $$
declare
    v_lane  uuid;
    v_parts integer;
    v_out   integer;
begin
    update deliveries
       set state = 'blocked', attempts = 0, limited = 0, external_id = null, status = null, error = null,
           due_at = clock_timestamp(), give_up_at = clock_timestamp() + p_max_age, updated_at = clock_timestamp()
     where user_id = p_user and message_id = p_message and not (state = 'done' and status is distinct from 'failed')
       and state <> 'sending';
    select count(*), count(*) filter (where state = 'done'), min(lane::text)::uuid into v_parts, v_out, v_lane
      from deliveries where user_id = p_user and message_id = p_message;
    if v_parts = 0 then
        return false;
    end if;
    update messages m
       set delivery = jsonb_build_object('state', 'waiting', 'attempts', 0, 'next_attempt_at', null, 'parts', v_parts,
                                         'parts_sent', v_out),
           external_id = d.external_id, dedupe_key = d.external_id
      from deliveries d
     where m.user_id = p_user and m.message_id = p_message
       and d.user_id = p_user and d.message_id = p_message and d.part = 1;
    perform app.promote(p_user, v_lane);
    return true;
end $$;

-- A channel works again: what waited for its credentials, or for the end of a pause that is over, goes on.
create function app.release_channel(p_user uuid, p_channel uuid) returns void
language sql volatile
as $$
    update deliveries d set due_at = app.goes_at(p_user, p_channel, clock_timestamp()), updated_at = clock_timestamp()
     where d.user_id = p_user and d.channel_id = p_channel and d.state = 'waiting' and d.due_at = 'infinity'
$$;

-- A channel is no longer connected: what waits is queued as if it never had been; a call under way is settled.
create function app.forget_deliveries(p_user uuid, p_channel uuid) returns void
language sql volatile
as $$
    update messages m set delivery = null
      from deliveries d
     where d.user_id = p_user and d.channel_id = p_channel and d.state in ('waiting', 'blocked')
       and m.user_id = p_user and m.message_id = d.message_id and m.status = 'queued'
       and not exists (select from deliveries o where o.user_id = p_user and o.message_id = m.message_id
                          and o.state not in ('waiting', 'blocked'));
    delete from deliveries d
     where d.user_id = p_user and d.channel_id = p_channel and d.state in ('waiting', 'blocked');
$$;

grant create on schema app to alfred_deliver;

-- Due rows for a worker, with what their calls need to know; at most p_each of a channel at once, of which it has
-- p_counts under way. One index scan: what cannot go now is not due now.
create function app.claim_deliveries(
    p_worker uuid, p_most integer, p_lease interval, p_each integer, p_channels uuid[], p_counts integer[]
) returns table (
    user_id uuid, delivery_id uuid, message_id uuid, conversation_id uuid, channel_id uuid, kind text, part integer,
    parts integer, payload jsonb, attempts integer, limited integer, give_up_at timestamptz, handle text,
    last_inbound_at timestamptz, opted_out_at timestamptz, channel_type text, channel_active boolean, channel_name text,
    provider text, options jsonb
)
language sql volatile security definer set search_path = public, pg_temp
as $$
    with busy as (
        select * from unnest(p_channels, p_counts) as b (channel_id, calls)
    ), due as (
        select d.user_id, d.delivery_id, d.channel_id, d.due_at from deliveries d
         where d.state = 'waiting' and d.due_at <= clock_timestamp()
           and not d.channel_id = any (array(select b.channel_id from busy b where b.calls >= p_each))
         order by d.due_at limit 4 * p_most
    ), ranked as (
        select due.*, row_number() over (partition by due.channel_id order by due.due_at) as n from due
    ), chosen as (
        select r.user_id, r.delivery_id from ranked r left join busy b using (channel_id)
         where r.n + coalesce(b.calls, 0) <= p_each order by r.due_at limit p_most
    ), held as (
        select d.user_id, d.delivery_id from deliveries d join chosen using (user_id, delivery_id)
         where d.state = 'waiting' for update of d skip locked
    ), taken as (
        update deliveries d
           set state = 'sending', attempts = d.attempts + 1, lease_until = clock_timestamp() + case when d.kind = 'mail' and p_lease > interval '90 s'
                                                       then interval '180 s' else p_lease end,
               leased_by = p_worker, updated_at = clock_timestamp()
          from held where d.user_id = held.user_id and d.delivery_id = held.delivery_id
        returning d.*
    )
    select t.user_id, t.delivery_id, t.message_id, t.conversation_id, t.channel_id, t.kind, t.part, t.parts, t.payload,
           t.attempts, t.limited, t.give_up_at, c.handle, c.last_inbound_at, p.opted_out_at, h.type, h.active, h.name,
           k.provider, k.options
      from taken t
      join conversations c on c.user_id = t.user_id and c.conversation_id = t.conversation_id
      join contacts p on p.user_id = c.user_id and p.contact_id = c.contact_id
      join channels h on h.user_id = t.user_id and h.channel_id = t.channel_id
      left join connections k on k.user_id = t.user_id and k.channel_id = t.channel_id
     order by t.number
$$;

-- When there is something to claim next, of what waits for a moment to come.
create function app.next_delivery_at() returns timestamptz
language sql stable security definer set search_path = public, pg_temp
as $$
    select min(due_at) from deliveries where state = 'waiting' and due_at > clock_timestamp() and due_at < 'infinity'
$$;

-- Rows that a worker took and did not begin.
create function app.release_deliveries(p_worker uuid, p_ids uuid[]) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    update deliveries set state = 'waiting', attempts = attempts - 1, lease_until = null, leased_by = null
     where leased_by = p_worker and delivery_id = any (p_ids) and state = 'sending'
$$;

-- Rows whose worker is gone, and rows that waited too long or of which nobody has told anything for a day.
create function app.overdue_deliveries(p_limit integer) returns table (
    user_id uuid, delivery_id uuid, message_id uuid, conversation_id uuid, lane uuid, state text, kind text, leased_by uuid,
    attempts integer, limited integer, provider text, options jsonb
)
language sql stable security definer set search_path = public, pg_temp
as $$
    select d.user_id, d.delivery_id, d.message_id, d.conversation_id, d.lane, d.state, d.kind, d.leased_by, d.attempts,
           d.limited, k.provider, k.options
      from (
        (select * from deliveries l where l.state = 'sending' and l.lease_until < clock_timestamp()
          order by l.lease_until limit p_limit)
        union all
        (select * from deliveries g where g.state in ('waiting', 'unknown') and g.give_up_at < clock_timestamp()
          order by g.give_up_at limit p_limit)
      ) d left join connections k on k.user_id = d.user_id and k.channel_id = d.channel_id
$$;

-- Channels that have failed for five minutes, each told once.
create function app.failing_channels(p_after interval, p_limit integer) returns table (user_id uuid, channel_id uuid, error jsonb)
language sql stable security definer set search_path = public, pg_temp
as $$
    select k.user_id, k.channel_id, k.error from connections k
     where k.state = 'failing' and k.failing_since < clock_timestamp() - p_after limit p_limit
$$;

-- Settled rows are kept a while; the message keeps its summary.
create function app.forget_settled_deliveries(p_age interval, p_limit integer) returns bigint
language sql volatile security definer set search_path = public, pg_temp
as $$
    with gone as (
        delete from deliveries d using (
            select o.user_id, o.delivery_id from deliveries o
             where o.state in ('done', 'dead', 'cancelled') and o.updated_at < now() - p_age
             order by o.updated_at limit p_limit for update skip locked
        ) old where d.user_id = old.user_id and d.delivery_id = old.delivery_id
        returning 1
    )
    select count(*) from gone
$$;

alter function app.claim_deliveries(uuid, integer, interval, integer, uuid[], integer[]) owner to alfred_deliver;

alter function app.next_delivery_at() owner to alfred_deliver;

alter function app.release_deliveries(uuid, uuid[]) owner to alfred_deliver;

alter function app.overdue_deliveries(integer) owner to alfred_deliver;

alter function app.failing_channels(interval, integer) owner to alfred_deliver;

alter function app.forget_settled_deliveries(interval, integer) owner to alfred_deliver;

revoke create on schema app from alfred_deliver;

-- A row that waited too long, or of which nobody will tell anything any more, is dead; one that was forgotten is not.
create function app.give_up_delivery(p_user uuid, p_delivery uuid, p_state text, p_error jsonb) returns void
language plpgsql volatile
as $$
declare
    v_row deliveries;
begin
    perform from conversations c join deliveries d using (user_id, conversation_id)
      where d.user_id = p_user and d.delivery_id = p_delivery for no key update of c;
    update deliveries set state = 'dead', error = p_error, updated_at = clock_timestamp()
     where user_id = p_user and delivery_id = p_delivery and state = p_state and give_up_at < clock_timestamp()
    returning * into v_row;
    if v_row.message_id is not null then
        update deliveries set state = 'cancelled', updated_at = clock_timestamp()
         where user_id = p_user and message_id = v_row.message_id and part > v_row.part and state = 'blocked';
        perform app.promote(p_user, v_row.lane);
        perform app.settle_message(p_user, v_row.message_id);
    end if;
end $$;

-- A failing channel is told once; what it fails with goes on being kept.
create function app.tell_failing_channel(p_user uuid, p_channel uuid) returns void
language sql volatile
as $$
    with told as (
        update connections set failing_since = 'infinity'
         where user_id = p_user and channel_id = p_channel and state = 'failing' and failing_since < 'infinity'
        returning error
    )
    select app.record(p_user, 'channel.error', p_payload => jsonb_build_object(
        'channel_id', p_channel, 'state', 'failing', 'error', told.error, 'detail', told.error ->> 'detail', 'channel', (
            select h.name from channels h where h.user_id = p_user and h.channel_id = p_channel))) from told
$$;

-- A status of one part of several is that part's; the message has the least of them, or the worst.
alter function app.apply_status(uuid, uuid, text, jsonb, text) rename to apply_message_status;

create function app.apply_status(p_user uuid, p_message uuid, p_status text, p_failure jsonb, p_external_id text)
returns void
language plpgsql volatile
as $$
declare
    v_part  deliveries;
    v_least text := p_status;
begin
    update deliveries d set status = p_status
     where d.user_id = p_user and d.message_id = p_message and d.external_id = p_external_id
       and (d.status is null or app.status_rank(p_status) > app.status_rank(d.status)
            or (p_status = 'failed' and d.status = 'sent'))
    returning * into v_part;
    if v_part.parts > 1 and p_status = 'failed' then
        p_failure := p_failure || jsonb_build_object('detail', format('part %s of %s: %s', v_part.part, v_part.parts,
                                                                      p_failure ->> 'detail'));
    elsif v_part.parts > 1 then
        select case when count(*) filter (where d.state <> 'done' or d.status is null or d.status = 'failed') > 0 then null
                    else (array['sent', 'delivered', 'read'])[min(app.status_rank(d.status))] end
          into v_least from deliveries d where d.user_id = p_user and d.message_id = p_message;
    end if;
    if v_least is not null then
        perform app.apply_message_status(p_user, p_message, v_least, p_failure, p_external_id);
    end if;
end $$;

-- The message that a messenger's id names: its own, else that of one of its parts.
alter function app.message_for(uuid, text, text, text) rename to message_by_id;

create function app.message_for(p_user uuid, p_type text, p_account text, p_external_id text) returns messages
language plpgsql stable
as $$
declare
    v_message messages := app.message_by_id(p_user, p_type, p_account, p_external_id);
begin
    if v_message.message_id is null and p_external_id is not null then
        select m.* into v_message from channels h
          join deliveries d on d.user_id = h.user_id and d.channel_id = h.channel_id and d.external_id = p_external_id
          join messages m on m.user_id = d.user_id and m.message_id = d.message_id
         where h.user_id = p_user and h.type = p_type
         order by h.external_account_id is not distinct from p_account desc limit 1;
    end if;
    return v_message;
end $$;

-- A status that names the id that we gave the part is a proof.
alter function app.take_in_update(uuid, jsonb) rename to take_in_known_update;

create function app.take_in_update(p_user uuid, p_item jsonb) returns jsonb
language plpgsql volatile
as $$
begin
    if p_item ->> 'delivery_id' ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
        perform app.bind_delivery(p_user, (p_item ->> 'delivery_id')::uuid, p_item ->> 'target');
    end if;
    return app.take_in_known_update(p_user, p_item);
end $$;
