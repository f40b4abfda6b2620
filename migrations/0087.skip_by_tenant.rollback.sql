-- Moves the cursors of consumers past what they do not want; returns where something waits to be looked at.
-- The arguments are those of app.bus_look. Most events are wanted by nobody: they are read once for all consumers, and
-- nothing of them leaves the database.
create or replace function app.bus_skip(p_consumers text[], p_wants jsonb[], p_users text[], p_buckets smallint[])
returns table (consumer text, bucket smallint)
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set join_collapse_limit = 1 set jit = off -- the events are read once, then each is held against what is wanted
as $$
#variable_conflict use_column
declare
    v_held    bus_cursors[];
    v_read    bus_cursors[];
    v_present pg_snapshot;
    v_users   uuid[];
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
    -- Of those who have read a bucket equally far one stands for all.
    v_read := array(select distinct on (c.bucket, c.seen::text) c from unnest(v_held) c);
    v_users := array(select distinct e.user_id from unnest(v_read) c cross join lateral app.bus_unread(c, v_present) e);
    for v_at in 1 .. cardinality(p_consumers) loop
        if p_users[v_at] is not null then
            execute format('select array(select app.%I($1))', p_users[v_at]) into v_ids using v_users;
            continue when cardinality(v_ids) = 0;
            v_concern := v_concern || jsonb_build_object(p_consumers[v_at], v_ids);
        end if;
        v_names := v_names || p_consumers[v_at];
        v_wants := v_wants || p_wants[v_at];
    end loop;
    v_waiting := array(
        select c
          from (select distinct k.consumer, r.bucket, r.seen::text as seen
                  from unnest(v_read) r
                 cross join lateral app.bus_unread(r, v_present) e
                 cross join unnest(v_names, v_wants) k (consumer, wants)
                 where k.wants ? e.type and e.payload @> (k.wants -> e.type)
                   and coalesce(v_concern -> k.consumer ? e.user_id::text, true)
                   and case when e.type <> 'message.received' then true
                            when k.consumer = 'media' then exists (
                                select from messages m
                                 where m.user_id = e.user_id and m.message_id = e.message_id and m.attachments <> '[]'
                                 order by m.message_id offset 0)
                            when k.consumer = 'deliveries' then exists (
                                select from messages m
                                 where m.user_id = e.user_id and m.conversation_id = e.conversation_id
                                   and m.status = 'scheduled' and m.cancel_on_reply offset 0)
                            else true end) w
          join unnest(v_held) c on c.consumer = w.consumer and c.bucket = w.bucket and c.seen::text = w.seen);
    update bus_cursors c set seen = v_present from unnest(v_held) h
     where c.consumer = h.consumer and c.bucket = h.bucket
       and not exists (select from unnest(v_waiting) w where w.consumer = h.consumer and w.bucket = h.bucket);
    return query select w.consumer, w.bucket from unnest(v_waiting) w;
end $$;

drop function app.bus_unseen(uuid, text, bigint, pg_snapshot, pg_snapshot);

drop index messages_with_files;
