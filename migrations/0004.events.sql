-- depends: 0003.contacts

-- The event log is the bus: written in the transaction of the change, read by snapshot cursors.
-- A sequence rather than an identity column keeps the table movable to another cluster.
create sequence ai_events_number;

create table ai_events (
    number          bigint      not null default nextval('ai_events_number'),
    xid             xid8        not null default pg_current_xact_id(),
    bucket          smallint    not null generated always as (app.bucket(user_id)) stored,
    user_id         uuid        not null,
    event_id        uuid        not null default app.uuid7(),
    type            text        not null,
    contact_id      uuid,
    conversation_id uuid,
    message_id      uuid,
    task_id         uuid,
    payload         jsonb       not null default '{}',
    created_at      timestamptz not null default clock_timestamp(),
    constraint ai_events_key primary key (user_id, number)
);

comment on table ai_events is
    'No foreign keys: a log entry outlives what it tells of, until the contact or the tenant is erased.';

create index ai_events_unread on ai_events (bucket, xid, number);

create index ai_events_by_conversation on ai_events (user_id, conversation_id, number desc);

alter table ai_events enable row level security;

alter table ai_events force row level security;

create policy ai_events_own on ai_events
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy ai_events_bus on ai_events to alfred_bus using (true) with check (true);

create policy ai_events_erase on ai_events to alfred_auth using (true);

grant select, insert, delete on ai_events to alfred_app;

grant usage on sequence ai_events_number to alfred_app;

grant select, update (xid) on ai_events to alfred_bus;

grant select, delete on ai_events to alfred_auth;

create or replace function app.erase_own_user() returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from ai_events where user_id = app.current_user_id();
    delete from users where user_id = app.current_user_id();
$$;

create function app.record(
    p_user uuid, p_type text, p_contact uuid default null, p_conversation uuid default null,
    p_message uuid default null, p_task uuid default null, p_payload jsonb default '{}'
) returns void
language sql volatile
as $$
    insert into ai_events (user_id, type, contact_id, conversation_id, message_id, task_id, payload)
    values (p_user, p_type, p_contact, p_conversation, p_message, p_task, p_payload)
$$;

-- How far each consumer has read each bucket: everything visible in `seen`, and of what `upto` shows
-- in addition, the events up to `after_number` (a batch that the limit cut).
create table bus_cursors (
    consumer     text        not null,
    bucket       smallint    not null,
    seen         pg_snapshot not null default pg_current_snapshot(),
    upto         pg_snapshot,
    after_number bigint      not null default 0,
    constraint bus_cursors_key primary key (consumer, bucket)
) with (fillfactor = 50);

create table event_retries (
    consumer   text        not null,
    number     bigint      not null,
    user_id    uuid        not null,
    attempts   integer     not null default 1,
    next_at    timestamptz not null,
    state      text        not null default 'waiting',
    error      text        not null,
    created_at timestamptz not null default now(),
    constraint event_retries_key primary key (consumer, number),
    constraint event_retries_state check (state in ('waiting', 'dead'))
);

create index event_retries_due on event_retries (next_at) where state = 'waiting';

alter table bus_cursors enable row level security;

alter table bus_cursors force row level security;

create policy bus_cursors_bus on bus_cursors to alfred_bus using (true) with check (true);

alter table event_retries enable row level security;

alter table event_retries force row level security;

create policy event_retries_bus on event_retries to alfred_bus using (true) with check (true);

grant select, insert, update, delete on bus_cursors, event_retries to alfred_bus;

-- A new consumer starts at what is written from now on. In a dump restored into another cluster the cursors are
-- snapshots of the future, and new events would be taken for old ones: then what is there counts as read.
create function app.bus_join(p_consumer text) returns void
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_next xid8 := pg_snapshot_xmax(pg_current_snapshot());
begin
    if exists (select from bus_cursors c where c.consumer = p_consumer and pg_snapshot_xmax(c.seen) > v_next) then
        update ai_events set xid = '3' where xid > v_next;
        delete from bus_cursors c where c.consumer = p_consumer;
    end if;
    insert into bus_cursors (consumer, bucket) select p_consumer, b from generate_series(0, 15) b
    on conflict do nothing;
end $$;

-- The next events of one bucket for one consumer, and its cursor moved past them, in one transaction.
-- News is what is visible now and was not in the snapshot that the consumer has read up to.
-- The first look takes no lock: a row lock takes a transaction id, and every idle sweep would write WAL.
create function app.bus_read(p_consumer text, p_bucket smallint, p_types text[], p_limit integer)
returns setof ai_events
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_cursor bus_cursors;
    v_last   bigint;
    v_count  integer;
begin
    select * into v_cursor from bus_cursors c where c.consumer = p_consumer and c.bucket = p_bucket;
    if not found or (v_cursor.upto is null and not exists (
        select from ai_events e where e.bucket = p_bucket and e.xid >= pg_snapshot_xmax(v_cursor.seen)
        union all
        select from ai_events e where e.bucket = p_bucket
           and e.xid in (select x from pg_snapshot_xip(v_cursor.seen) x)
    )) then
        return;
    end if;
    select * into v_cursor from bus_cursors c
     where c.consumer = p_consumer and c.bucket = p_bucket for update skip locked;
    if not found then
        return;
    end if;
    if v_cursor.upto is null then
        v_cursor.upto := pg_current_snapshot();
    end if;
    select count(*), max(page.number) into v_count, v_last from (
        select e.number from app.bus_news(p_bucket, v_cursor) e
         where e.type = any (p_types) order by e.number limit p_limit
    ) page;
    return query
        select e.* from app.bus_news(p_bucket, v_cursor) e
         where e.number <= v_last and e.type = any (p_types) order by e.number;
    if v_count < p_limit then
        update bus_cursors c set seen = v_cursor.upto, upto = null, after_number = 0
         where c.consumer = p_consumer and c.bucket = p_bucket;
    else
        update bus_cursors c set upto = v_cursor.upto, after_number = v_last
         where c.consumer = p_consumer and c.bucket = p_bucket;
    end if;
end $$;

create function app.bus_news(p_bucket smallint, p_cursor bus_cursors) returns setof ai_events
language sql stable
as $$
    select e.* from ai_events e
     where e.bucket = p_bucket and e.xid >= pg_snapshot_xmax(p_cursor.seen)
       and e.number > p_cursor.after_number and pg_visible_in_snapshot(e.xid, p_cursor.upto)
    union all
    select e.* from ai_events e
     where e.bucket = p_bucket and e.xid in (select x from pg_snapshot_xip(p_cursor.seen) x)
       and e.number > p_cursor.after_number and pg_visible_in_snapshot(e.xid, p_cursor.upto)
$$;

-- An event whose handler failed is tried again later; after p_most attempts it is dead, and stays to be seen.
create function app.bus_failed(
    p_consumer text, p_number bigint, p_user uuid, p_error text, p_wait interval, p_most integer
) returns text
language sql volatile security definer set search_path = public, pg_temp
as $$
    insert into event_retries as r (consumer, number, user_id, next_at, error)
    values (p_consumer, p_number, p_user, now() + p_wait, p_error)
    on conflict (consumer, number) do update
       set attempts = r.attempts + 1,
           error = excluded.error,
           next_at = now() + least(p_wait * power(2, r.attempts), interval '1 hour'),
           state = case when r.attempts + 1 >= p_most then 'dead' else 'waiting' end
    returning state
$$;

-- The oldest event that waits for another attempt, held until the transaction ends.
create function app.bus_retry(p_consumer text) returns setof ai_events
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_retry event_retries;
begin
    select * into v_retry from event_retries r
     where r.consumer = p_consumer and r.state = 'waiting' and r.next_at <= now()
     order by r.next_at limit 1 for update skip locked;
    if found then
        return query select e.* from ai_events e where e.user_id = v_retry.user_id and e.number = v_retry.number;
        if not found then
            delete from event_retries r where r.consumer = p_consumer and r.number = v_retry.number;
        end if;
    end if;
end $$;

create function app.bus_settled(p_consumer text, p_number bigint) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$ delete from event_retries where consumer = p_consumer and number = p_number $$;

create function app.bus_dead() returns table (consumer text, number bigint, attempts integer, error text, created_at timestamptz)
language sql stable security definer set search_path = public, pg_temp
as $$
    select r.consumer, r.number, r.attempts, r.error, r.created_at from event_retries r
     where r.state = 'dead' order by r.created_at desc limit 200
$$;

create function app.bus_revive() returns bigint
language sql volatile security definer set search_path = public, pg_temp
as $$
    with revived as (
        update event_retries set state = 'waiting', attempts = 0, next_at = now() where state = 'dead' returning 1
    )
    select count(*) from revived
$$;

alter function app.bus_join(text) owner to alfred_bus;

alter function app.bus_read(text, smallint, text[], integer) owner to alfred_bus;

alter function app.bus_failed(text, bigint, uuid, text, interval, integer) owner to alfred_bus;

alter function app.bus_retry(text) owner to alfred_bus;

alter function app.bus_settled(text, bigint) owner to alfred_bus;

alter function app.bus_dead() owner to alfred_bus;

alter function app.bus_revive() owner to alfred_bus;
