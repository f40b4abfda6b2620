-- depends: 0087.skip_by_tenant

-- An index that begins with a bucket is filled at the end of each one's part, where PostgreSQL splits a page in halves.
-- One of the log's order alone is filled from page to page, and narrower; all buckets are read from it at once.
create index ai_events_by_xid on ai_events (xid, number);

grant create on schema app to alfred_bus, alfred_scan;

-- A number below those of everything that was not visible in a snapshot: of what began later, of what was under way,
-- and of what was under way with an id above all that had ended, at most one transaction for a connection.
create function app.number_before(p_seen pg_snapshot) returns bigint
language sql stable security definer set search_path = public, pg_temp
set enable_seqscan = off set enable_sort = off set jit = off
as $$
    with recursive young as (
        (select e.xid, e.number from ai_events e
          where e.xid >= pg_snapshot_xmax(p_seen) order by e.xid, e.number limit 1)
         union all
        select n.xid, n.number from young y cross join lateral (
            select e.xid, e.number from ai_events e where e.xid > y.xid order by e.xid, e.number limit 1) n
    )
    select least(
               coalesce((select e.number from ai_events e
                          where e.xid < pg_snapshot_xmax(p_seen) and pg_visible_in_snapshot(e.xid, p_seen)
                          order by e.xid desc, e.number desc limit 1), 0),
               (select min(e.number) - 1 from ai_events e
                 where e.xid = any (array(select pg_snapshot_xip(p_seen)))),
               (select min(f.number) - 1 from (
                    select y.number from young y
                     limit current_setting('max_connections')::integer
                           + current_setting('max_prepared_transactions')::integer) f))
$$;

alter function app.number_before(pg_snapshot) owner to alfred_bus;

revoke execute on function app.number_before(pg_snapshot) from public;

grant execute on function app.number_before(pg_snapshot) to alfred_app;

-- What happened after a position, in the order of the log: visible in p_upto and not in p_seen, after a number that a
-- page was cut at. The key's order gives the page without sorting the rest.
create or replace function app.events_after(
    p_user uuid, p_seen pg_snapshot, p_upto pg_snapshot, p_after bigint,
    p_types text[], p_conversation uuid, p_limit integer
) returns setof ai_events
language plpgsql stable
as $$
declare
    v_after bigint := p_after;
begin
    if v_after = 0 and pg_snapshot_xmax(p_seen) > '1' then
        v_after := app.number_before(p_seen);
    end if;
    return query
        select e.* from ai_events e
         where e.user_id = p_user and e.number > v_after
           and not pg_visible_in_snapshot(e.xid, p_seen) and pg_visible_in_snapshot(e.xid, p_upto)
           and (p_types is null or e.type = any (p_types))
           and (p_conversation is null or e.conversation_id = p_conversation)
         order by e.number
         limit p_limit;
end $$;

-- The same for many tenants at once: what the streams of a process have not been handed.
create or replace function app.events_of_users(
    p_users uuid[], p_seen pg_snapshot, p_upto pg_snapshot, p_after bigint, p_limit integer
) returns setof ai_events
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
set enable_seqscan = off set jit = off
as $$
begin
    return query
        select n.* from (
            select e.* from ai_events e
             where e.xid >= pg_snapshot_xmax(p_seen) and e.xid < pg_snapshot_xmax(p_upto)
             union all
            select e.* from ai_events e
             where e.xid = any (array(select x from pg_snapshot_xip(p_seen) x where pg_visible_in_snapshot(x, p_upto)))
        ) n
         where n.user_id = any (p_users) and n.number > p_after and pg_visible_in_snapshot(n.xid, p_upto)
         order by n.number
         limit p_limit;
end $$;

-- Cursors that have read equally far, and read up to the same, read together.
create function app.bus_together(p_held bus_cursors[], p_present pg_snapshot)
returns table (buckets smallint[], seen pg_snapshot, upto pg_snapshot, after_number bigint)
language sql stable
as $$
    select array_agg(distinct c.bucket), c.seen::text::pg_snapshot, coalesce(c.upto::text::pg_snapshot, p_present),
           c.after_number
      from unnest(p_held) c
     group by c.seen::text, c.upto::text, c.after_number
$$;

-- What of some buckets is visible in p_upto and not in p_seen, after a number that a page was cut at. What is under way
-- still is not looked at: it may have written much.
create function app.bus_unread(p_buckets smallint[], p_seen pg_snapshot, p_upto pg_snapshot, p_after bigint)
returns setof ai_events
language sql stable
as $$
    select e.* from ai_events e
     where e.xid >= pg_snapshot_xmax(p_seen) and e.xid < pg_snapshot_xmax(p_upto) and e.number > p_after
       and e.bucket = any (p_buckets) and pg_visible_in_snapshot(e.xid, p_upto)
     union all
    select e.* from ai_events e
     where e.xid = any (array(select x from pg_snapshot_xip(p_seen) x where pg_visible_in_snapshot(x, p_upto)))
       and e.number > p_after and e.bucket = any (p_buckets) and pg_visible_in_snapshot(e.xid, p_upto)
$$;

-- Moves the cursors of consumers past what they do not want; returns where something waits to be looked at.
-- The arguments are those of app.bus_look. Most events are wanted by nobody: they are read once for all consumers, what
-- is wanted is told from tenants and types where these suffice, and nothing of the events leaves the database. A cursor
-- moves also where only other buckets have news, so that none is far behind: what is read is what came since.
create or replace function app.bus_skip(p_consumers text[], p_wants jsonb[], p_users text[], p_buckets smallint[])
returns table (consumer text, bucket smallint)
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_sort = off set join_collapse_limit = 1 set jit = off
as $$
#variable_conflict use_column
declare
    v_held    bus_cursors[];
    v_present pg_snapshot;
    -- What is new, by tenant, type and what a cursor has seen; the first number of each. The arrays are of one length.
    v_tenants uuid[];
    v_types   text[];
    v_seen    text[];
    v_firsts  bigint[];
    v_ids     uuid[]; -- the tenants that a consumer has anything to do for
    v_concern jsonb := '{}'; -- these by consumer, where it is not for all
    v_names   text[] := '{}'; -- of the consumers that have anything to do for anybody
    v_wants   jsonb[] := '{}';
    v_waiting bus_cursors[];
begin
    -- Amid a long read it is looked on.
    return query select c.consumer, c.bucket from bus_cursors c
                  where c.consumer = any (p_consumers) and c.bucket = any (p_buckets) and c.upto is not null;
    v_held := array(
        select c from bus_cursors c
         where c.consumer = any (p_consumers) and c.bucket = any (p_buckets) and c.upto is null
           and ((select e.xid from ai_events e order by e.xid desc, e.number desc limit 1) >= pg_snapshot_xmax(c.seen)
             or exists (select from pg_snapshot_xip(c.seen) x join ai_events e on e.xid = x
                         where pg_visible_in_snapshot(x, pg_current_snapshot())))
         order by c.consumer, c.bucket for update skip locked);
    if cardinality(v_held) = 0 then
        return;
    end if;
    perform set_config('synchronous_commit', 'off', true); -- what a crash undoes is passed over once more
    v_present := app.bus_present();
    select array_agg(n.user_id), array_agg(n.type), array_agg(r.seen::text), array_agg(n.first)
      into v_tenants, v_types, v_seen, v_firsts
      from app.bus_together(v_held, v_present) r
     cross join lateral (
        select e.user_id, e.type, min(e.number) as first
          from app.bus_unread(r.buckets, r.seen, r.upto, r.after_number) e
         group by e.user_id, e.type) n;
    for v_at in 1 .. cardinality(p_consumers) loop
        if p_users[v_at] is not null then
            execute format('select array(select app.%I($1))', p_users[v_at]) into v_ids using array(
                select distinct n.user_id from unnest(v_tenants, v_types) n (user_id, type)
                 where p_wants[v_at] ? n.type);
            continue when cardinality(v_ids) = 0;
            v_concern := v_concern || jsonb_build_object(p_consumers[v_at], v_ids);
        end if;
        v_names := v_names || p_consumers[v_at];
        v_wants := v_wants || p_wants[v_at];
    end loop;
    v_waiting := array(
        select c
          from (select distinct k.consumer, app.bucket(n.user_id) as bucket, n.seen
                  from unnest(v_names, v_wants) k (consumer, wants)
                 cross join unnest(v_tenants, v_types, v_seen, v_firsts) n (user_id, type, seen, first)
                 where k.wants ? n.type and coalesce(v_concern -> k.consumer ? n.user_id::text, true)
                   and case
                       when n.type = 'message.received' and k.consumer = 'media' then
                           exists (select from messages m where m.user_id = n.user_id and m.attachments <> '[]' offset 0)
                           and exists (
                               select from app.bus_unseen(n.user_id, n.type, n.first, n.seen::pg_snapshot, v_present) e
                                cross join lateral ( -- ordered: a plan that was made of empty tables reads by the key too
                                   select from messages m
                                    where m.user_id = e.user_id and m.attachments <> '[]'
                                      and m.message_id between e.message_id and e.message_id
                                    order by m.message_id limit 1) m offset 0)
                       when n.type = 'message.received' and k.consumer = 'deliveries' then
                           exists (select from messages m
                                    where m.user_id = n.user_id and m.status = 'scheduled' and m.cancel_on_reply offset 0)
                           and exists (
                               select from app.bus_unseen(n.user_id, n.type, n.first, n.seen::pg_snapshot, v_present) e
                                cross join lateral (
                                   select from messages m
                                    where m.user_id = e.user_id and m.conversation_id = e.conversation_id
                                      and m.status = 'scheduled' and m.cancel_on_reply limit 1) m offset 0)
                       else k.wants -> n.type = '{}' or exists (
                           select from app.bus_unseen(n.user_id, n.type, n.first, n.seen::pg_snapshot, v_present) e
                            where e.payload @> (k.wants -> n.type) offset 0) end) w
          join unnest(v_held) c on c.consumer = w.consumer and c.bucket = w.bucket and c.seen::text = w.seen);
    update bus_cursors c set seen = v_present from unnest(v_held) h
     where c.consumer = h.consumer and c.bucket = h.bucket
       and not exists (select from unnest(v_waiting) w where w.consumer = h.consumer and w.bucket = h.bucket);
    return query select w.consumer, w.bucket from unnest(v_waiting) w;
end $$;

-- The next events for several consumers in some buckets, and their cursors moved past them, in one transaction.
-- p_wants: for each consumer the types that it wants, with what the payload must contain: {"task.overdue": {}}.
-- p_users: for each consumer the function of this schema that says for which of some tenants there is anything to do.
-- Most messages bring no file and call nothing off: media and deliveries are not told of them.
-- `aside` marks what has been put into the backlog, since its tenant has something there.
-- Who holds nothing takes no lock: a row lock takes a transaction id, and every idle sweep would write WAL.
create or replace function app.bus_look(
    p_consumers text[], p_wants jsonb[], p_users text[], p_buckets smallint[], p_limit integer
) returns table (
    consumer text, aside boolean, number bigint, user_id uuid, event_id uuid, type text, contact_id uuid,
    conversation_id uuid, message_id uuid, task_id uuid, payload jsonb, created_at timestamptz
)
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_consumer text;
    v_wants    jsonb;
    v_types    text[];
    v_held     bus_cursors[];
    v_present  pg_snapshot;
    v_users    uuid[];
    v_width    bigint;
    v_upto     bigint;
    v_page     ai_events[];
    v_cut      bigint;
begin
    for v_at in 1 .. cardinality(p_consumers) loop
        v_consumer := p_consumers[v_at];
        v_wants := p_wants[v_at];
        v_types := array(select jsonb_object_keys(v_wants));
        v_held := array(
            select c from bus_cursors c
             where c.consumer = v_consumer and c.bucket = any (p_buckets) and (c.upto is not null
                or (select e.xid from ai_events e order by e.xid desc, e.number desc limit 1) >= pg_snapshot_xmax(c.seen)
                or exists (select from pg_snapshot_xip(c.seen) x join ai_events e on e.xid = x
                            where pg_visible_in_snapshot(x, pg_current_snapshot())))
             order by c.bucket for update skip locked);
        continue when cardinality(v_held) = 0;
        v_present := app.bus_present();
        v_users := null;
        if p_users[v_at] is not null then
            v_users := array(
                select distinct e.user_id from app.bus_together(v_held, v_present) r
                 cross join lateral app.bus_unread(r.buckets, r.seen, r.upto, r.after_number) e
                 where e.type = any (v_types) and e.payload @> (v_wants -> e.type));
            execute format('select array(select app.%I($1))', p_users[v_at]) into v_users using v_users;
        end if;
        v_page := '{}';
        -- What is left of a long read is not sorted anew for each page: the next numbers are asked for first.
        v_width := 2 * p_limit;
        while v_users is distinct from '{}' and cardinality(v_page) < p_limit loop
            v_upto := (select v_width + nullif(min(c.after_number), 0) from unnest(v_held) c
                        where v_width < 100 * p_limit);
            v_page := array(
                select e from app.bus_together(v_held, v_present) r
                 cross join lateral app.bus_unread(r.buckets, r.seen, r.upto, r.after_number) e
                 where e.type = any (v_types) and e.payload @> (v_wants -> e.type)
                   and e.number <= coalesce(v_upto, 9223372036854775807) and (v_users is null or e.user_id = any (v_users))
                   and case when e.type <> 'message.received' then true
                            when v_consumer = 'media' then exists (
                                select from messages m
                                 where m.user_id = e.user_id and m.message_id = e.message_id and m.attachments <> '[]'
                                 order by m.message_id offset 0)
                            when v_consumer = 'deliveries' then exists (
                                select from messages m
                                 where m.user_id = e.user_id and m.conversation_id = e.conversation_id
                                   and m.status = 'scheduled' and m.cancel_on_reply offset 0)
                            else true end
                 order by e.number limit p_limit);
            exit when v_upto is null;
            v_width := 8 * v_width;
        end loop;
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

drop function app.bus_unread(bus_cursors, pg_snapshot);

drop function app.number_before(smallint, pg_snapshot);

-- How each consumer is doing. Its oldest event is looked for among the first thousand after what it has read.
create or replace function app.bus_state() returns table (
    consumer text, lag_seconds double precision, waiting bigint, dead bigint
)
language sql stable security definer set search_path = public, pg_temp
as $$
    select c.consumer,
           greatest(coalesce(extract(epoch from clock_timestamp() - min(e.created_at)), 0), 0)::double precision,
           (select count(*) from (select from event_backlog b where b.consumer = c.consumer limit 100000) b)
               + (select count(*) from event_retries r where r.consumer = c.consumer and r.state = 'waiting'),
           (select count(*) from event_retries r where r.consumer = c.consumer and r.state = 'dead')
      from bus_cursors c
      left join lateral (select n.created_at
                           from (select e.bucket, e.created_at from ai_events e
                                  where e.xid >= pg_snapshot_xmax(c.seen) and e.number > c.after_number
                                  order by e.xid, e.number limit 1000) n
                          where n.bucket = c.bucket limit 1) e on true
     group by c.consumer
$$;

-- Removes of the log what is older than p_before, from a place on; what a consumer among p_consumers has not read, what
-- waits for a turn and what waits for another attempt stays. The place to go on from is told, null where the rest is
-- younger. A client whose place is older is told so, from the same moment on.
create function app.forget_old_events(
    p_before timestamptz, p_consumers text[], p_xid text, p_number bigint, p_limit integer
) returns table (removed bigint, next_xid text, next_number bigint)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_before timestamptz := least(p_before, now() - interval '1 day');
begin
    return query
    with page as materialized (
        select e.user_id, e.number, e.xid, e.bucket, e.created_at from ai_events e
         where (e.xid, e.number) > (p_xid::xid8, p_number)
         order by e.xid, e.number limit p_limit
    ), gone as (
        delete from ai_events e using page p
         where e.user_id = p.user_id and e.number = p.number and p.created_at < v_before
           and not exists (select from bus_cursors c
                            where c.bucket = p.bucket and c.consumer = any (p_consumers)
                              and not pg_visible_in_snapshot(p.xid, c.seen))
           and not exists (select from event_backlog b
                            where b.user_id = p.user_id and b.consumer = any (p_consumers) and b.number = p.number)
           and not exists (select from event_retries r
                            where r.consumer = any (p_consumers) and r.number = p.number)
        returning 1
    ), last as (
        select p.xid, p.number from page p order by p.xid desc, p.number desc limit 1
    )
    select (select count(*) from gone),
           case when v.whole and v.old then l.xid::text end,
           case when v.whole and v.old then l.number end
      from (select count(*) = p_limit as whole, coalesce(bool_and(p.created_at < v_before), false) as old from page p) v
      left join last l on true;
    perform app.begin_log_at(v_before);
end $$;

alter function app.forget_old_events(timestamptz, text[], text, bigint, integer) owner to alfred_scan;

revoke execute on function app.forget_old_events(timestamptz, text[], text, bigint, integer) from public;

grant execute on function app.forget_old_events(timestamptz, text[], text, bigint, integer)
   to alfred_bus_app, alfred_app;

-- The same, as the version before asks for it: bucket by bucket, of which the first stands for all.
create or replace function app.forget_old_events(
    p_before timestamptz, p_consumers text[], p_bucket smallint, p_xid text, p_number bigint, p_limit integer
) returns table (removed bigint, next_xid text, next_number bigint)
language sql volatile security definer set search_path = public, pg_temp
as $$
    select f.removed, f.next_xid, f.next_number
      from app.forget_old_events(p_before, p_consumers, p_xid, p_number, p_limit) f where p_bucket = 0
     union all
    select 0, null, null where p_bucket <> 0
$$;

revoke create on schema app from alfred_bus, alfred_scan;
