-- depends: 0022.digests

-- One look serves every consumer of a process. What the time of a transaction does not suffice for waits in a
-- backlog, and behind it what its tenant does later; the tenants there take turns.
create table event_backlog (
    user_id  uuid   not null,
    consumer text   not null,
    number   bigint not null,
    constraint event_backlog_key primary key (user_id, consumer, number)
);

comment on table event_backlog is 'No foreign keys: what waits for an event that was erased is removed at its turn.';

alter table event_backlog enable row level security;

alter table event_backlog force row level security;

create policy event_backlog_bus on event_backlog to alfred_bus using (true) with check (true);

grant select, insert, delete on event_backlog to alfred_bus;

-- A match whose actions wait for the tenant's next turn.
alter table rule_matches add column pending boolean not null default false;

grant create on schema app to alfred_bus;

-- What was committed so far. A snapshot does not count its own transaction among those under way: what this one
-- writes would be taken for something that was read.
create function app.bus_present() returns pg_snapshot
language sql volatile
as $$
    select case when pg_current_xact_id() >= pg_snapshot_xmax(s) then s
                else format('%s:%s:%s', pg_snapshot_xmin(s), pg_snapshot_xmax(s), (
                    select string_agg(x::text, ',' order by x)
                      from (select pg_snapshot_xip(s) union select pg_current_xact_id()) under_way (x)))::pg_snapshot
           end
      from pg_current_snapshot() s
$$;

-- What one cursor has not read, up to the snapshot that it is reading, else up to p_present.
create function app.bus_unread(p_cursor bus_cursors, p_present pg_snapshot) returns setof ai_events
language sql stable
as $$
    select e.* from ai_events e
     where e.bucket = p_cursor.bucket and e.xid >= pg_snapshot_xmax(p_cursor.seen)
       and e.number > p_cursor.after_number
       and pg_visible_in_snapshot(e.xid, coalesce(p_cursor.upto, p_present))
    union all
    select e.* from ai_events e
     where e.bucket = p_cursor.bucket and e.xid = any (array(select pg_snapshot_xip(p_cursor.seen)))
       and e.number > p_cursor.after_number
       and pg_visible_in_snapshot(e.xid, coalesce(p_cursor.upto, p_present))
$$;

-- The next events for several consumers in some buckets, and their cursors moved past them, in one transaction.
-- p_wants: for each consumer the types that it wants, with what the payload must contain: {"task.overdue": {}}.
-- p_users: for each consumer the function of this schema that says for which of some tenants there is anything to do.
-- `aside` marks what has been put into the backlog, since its tenant has something there.
-- Who holds nothing takes no lock: a row lock takes a transaction id, and every idle sweep would write WAL.
create function app.bus_look(
    p_consumers text[], p_wants jsonb[], p_users text[], p_buckets smallint[], p_limit integer
) returns table (
    consumer text, aside boolean, number bigint, user_id uuid, event_id uuid, type text, contact_id uuid,
    conversation_id uuid, message_id uuid, task_id uuid, payload jsonb, created_at timestamptz
)
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    v_consumer text;
    v_wants    jsonb;
    v_held     bus_cursors[];
    v_present  pg_snapshot;
    v_users    uuid[];
    v_page     ai_events[];
    v_cut      bigint;
begin
    for v_at in 1 .. cardinality(p_consumers) loop
        v_consumer := p_consumers[v_at];
        v_wants := p_wants[v_at];
        v_held := array(
            select c from bus_cursors c
             where c.consumer = v_consumer and c.bucket = any (p_buckets) and (c.upto is not null
                or exists (select from ai_events e where e.bucket = c.bucket and e.xid >= pg_snapshot_xmax(c.seen))
                or exists (select from ai_events e where e.bucket = c.bucket
                              and e.xid = any (array(select pg_snapshot_xip(c.seen)))))
             order by c.bucket for update skip locked);
        continue when cardinality(v_held) = 0;
        v_present := app.bus_present();
        v_users := null;
        if p_users[v_at] is not null then
            v_users := array(
                select distinct e.user_id from unnest(v_held) c cross join lateral app.bus_unread(c, v_present) e
                 where v_wants ? e.type and e.payload @> (v_wants -> e.type));
            execute format('select array(select app.%I($1))', p_users[v_at]) into v_users using v_users;
        end if;
        v_page := '{}';
        if v_users is distinct from '{}' then
            v_page := array(
                select e from unnest(v_held) c cross join lateral app.bus_unread(c, v_present) e
                 where v_wants ? e.type and e.payload @> (v_wants -> e.type)
                   and (v_users is null or e.user_id = any (v_users))
                 order by e.number limit p_limit);
        end if;
        v_cut := (v_page[p_limit]).number;
        update bus_cursors c
           set seen = case when v_cut is null then coalesce(c.upto, v_present) else c.seen end,
               upto = case when v_cut is null then null else coalesce(c.upto, v_present) end,
               after_number = case when v_cut is null then 0 else greatest(c.after_number, v_cut) end
         where c.consumer = v_consumer and c.bucket = any (array(select h.bucket from unnest(v_held) h));
        continue when cardinality(v_page) = 0;
        insert into event_backlog (user_id, consumer, number)
        select e.user_id, v_consumer, e.number from unnest(v_page) e
         where exists (select from event_backlog b where b.user_id = e.user_id and b.consumer = v_consumer);
        return query
            select v_consumer, exists (select from event_backlog b
                                        where b.user_id = e.user_id and b.consumer = v_consumer and b.number = e.number),
                   e.number, e.user_id, e.event_id, e.type, e.contact_id, e.conversation_id, e.message_id, e.task_id,
                   e.payload, e.created_at
              from unnest(v_page) e order by e.number;
    end loop;
end $$;

-- What the transaction's time does not suffice for.
create function app.bus_put_aside(p_consumer text, p_users uuid[], p_numbers bigint[]) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    insert into event_backlog (user_id, consumer, number)
    select u, p_consumer, n from unnest(p_users, p_numbers) as e (u, n)
        on conflict do nothing
$$;

-- The first events in the backlog of the tenant who comes after the one whose turn was the last.
-- Like a look it holds the cursor: nobody else works for this consumer in the tenant's bucket meanwhile.
create function app.bus_turn(p_consumers text[], p_last_user uuid, p_last_consumer text, p_limit integer)
returns table (
    consumer text, number bigint, user_id uuid, event_id uuid, type text, contact_id uuid,
    conversation_id uuid, message_id uuid, task_id uuid, payload jsonb, created_at timestamptz
)
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
    v_next    event_backlog := row(p_last_user, p_last_consumer, 0);
    v_after   event_backlog;
    v_numbers bigint[];
begin
    for v_try in 1 .. 16 loop
        v_after := v_next;
        select * into v_next from event_backlog b
         where (b.user_id, b.consumer) > (v_after.user_id, v_after.consumer) and b.consumer = any (p_consumers)
         order by b.user_id, b.consumer, b.number limit 1;
        if not found then
            select * into v_next from event_backlog b where b.consumer = any (p_consumers)
             order by b.user_id, b.consumer, b.number limit 1;
            exit when not found;
        end if;
        perform from bus_cursors c
          where c.consumer = v_next.consumer and c.bucket = app.bucket(v_next.user_id) for update skip locked;
        continue when not found;
        v_numbers := array(
            select b.number from event_backlog b
             where b.user_id = v_next.user_id and b.consumer = v_next.consumer order by b.number limit p_limit);
        delete from event_backlog b
         where b.user_id = v_next.user_id and b.consumer = v_next.consumer and b.number = any (v_numbers)
           and not exists (select from ai_events e where e.user_id = b.user_id and e.number = b.number);
        return query
            select v_next.consumer, e.number, e.user_id, e.event_id, e.type, e.contact_id, e.conversation_id,
                   e.message_id, e.task_id, e.payload, e.created_at
              from ai_events e where e.user_id = v_next.user_id and e.number = any (v_numbers) order by e.number;
        return;
    end loop;
end $$;

-- These need no further turn.
create function app.bus_done(p_consumer text, p_user uuid, p_numbers bigint[]) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from event_backlog b where b.user_id = p_user and b.consumer = p_consumer and b.number = any (p_numbers)
$$;

-- The event that has waited longest for another attempt, held until the transaction ends, and its consumer's cursor
-- with it: who writes for a tenant does so alone.
create function app.bus_next_retry(p_consumers text[])
returns table (
    consumer text, number bigint, user_id uuid, event_id uuid, type text, contact_id uuid,
    conversation_id uuid, message_id uuid, task_id uuid, payload jsonb, created_at timestamptz
)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
#variable_conflict use_column
declare
    v_retry event_retries;
begin
    for v_retry in
        select * from event_retries r
         where r.consumer = any (p_consumers) and r.state = 'waiting' and r.next_at <= now()
         order by r.next_at limit 16 for update skip locked
    loop
        perform from bus_cursors c
          where c.consumer = v_retry.consumer and c.bucket = app.bucket(v_retry.user_id) for update skip locked;
        continue when not found;
        return query
            select v_retry.consumer, e.number, e.user_id, e.event_id, e.type, e.contact_id, e.conversation_id,
                   e.message_id, e.task_id, e.payload, e.created_at
              from ai_events e where e.user_id = v_retry.user_id and e.number = v_retry.number;
        exit when found;
        delete from event_retries r where r.consumer = v_retry.consumer and r.number = v_retry.number;
    end loop;
end $$;

alter function app.bus_look(text[], jsonb[], text[], smallint[], integer) owner to alfred_bus;

alter function app.bus_put_aside(text, uuid[], bigint[]) owner to alfred_bus;

alter function app.bus_turn(text[], uuid, text, integer) owner to alfred_bus;

alter function app.bus_done(text, uuid, bigint[]) owner to alfred_bus;

alter function app.bus_next_retry(text[]) owner to alfred_bus;

revoke execute on function app.bus_look(text[], jsonb[], text[], smallint[], integer) from public;

grant execute on function app.bus_look(text[], jsonb[], text[], smallint[], integer) to alfred_app;

revoke execute on function app.bus_put_aside(text, uuid[], bigint[]) from public;

grant execute on function app.bus_put_aside(text, uuid[], bigint[]) to alfred_app;

revoke execute on function app.bus_turn(text[], uuid, text, integer) from public;

grant execute on function app.bus_turn(text[], uuid, text, integer) to alfred_app;

revoke execute on function app.bus_done(text, uuid, bigint[]) from public;

grant execute on function app.bus_done(text, uuid, bigint[]) to alfred_app;

revoke execute on function app.bus_next_retry(text[]) from public;

grant execute on function app.bus_next_retry(text[]) to alfred_app;

revoke create on schema app from alfred_bus;
