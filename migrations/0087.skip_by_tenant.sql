-- depends: 0086.found_items

-- Few messages bring files: what asks for them looks at those alone.
create index messages_with_files on messages (user_id, message_id) where attachments <> '[]';

-- Of what is visible in p_present, what a tenant's events of a type since a number tell who had seen p_seen.
create function app.bus_unseen(p_user uuid, p_type text, p_first bigint, p_seen pg_snapshot, p_present pg_snapshot)
returns setof ai_events
language sql stable
as $$
    select e.* from ai_events e
     where e.user_id = p_user and e.number >= p_first and e.type = p_type
       and not pg_visible_in_snapshot(e.xid, p_seen) and pg_visible_in_snapshot(e.xid, p_present)
$$;

-- Moves the cursors of consumers past what they do not want; returns where something waits to be looked at.
-- The arguments are those of app.bus_look. Most events are wanted by nobody: they are read once for all consumers, what
-- is wanted is told from tenants and types where these suffice, and nothing of the events leaves the database.
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
           and (exists (select from ai_events e where e.bucket = c.bucket and e.xid >= pg_snapshot_xmax(c.seen))
             or exists (select from ai_events e where e.bucket = c.bucket
                           and e.xid = any (array(select pg_snapshot_xip(c.seen)))))
         order by c.consumer, c.bucket for update skip locked);
    if cardinality(v_held) = 0 then
        return;
    end if;
    perform set_config('synchronous_commit', 'off', true); -- what a crash undoes is passed over once more
    v_present := app.bus_present();
    -- Cursors that have seen the same read together.
    select array_agg(n.user_id), array_agg(n.type), array_agg(r.seen::text), array_agg(n.first)
      into v_tenants, v_types, v_seen, v_firsts
      from (select c.seen::text::pg_snapshot as seen, array_agg(distinct c.bucket) as buckets
              from unnest(v_held) c group by c.seen::text) r
     cross join lateral (
        select e.user_id, e.type, min(e.number) as first
          from (select e.user_id, e.type, e.number from ai_events e
                 where e.bucket = any (r.buckets) and e.xid >= pg_snapshot_xmax(r.seen)
                   and e.xid < pg_snapshot_xmax(v_present) and pg_visible_in_snapshot(e.xid, v_present)
                 union all
                select e.user_id, e.type, e.number from ai_events e
                 where e.bucket = any (r.buckets) and e.xid = any (array(select pg_snapshot_xip(r.seen)))
                   and pg_visible_in_snapshot(e.xid, v_present)) e
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
