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
                 where e.type = any (v_types) and e.payload @> (v_wants -> e.type));
            execute format('select array(select app.%I($1))', p_users[v_at]) into v_users using v_users;
        end if;
        v_page := '{}';
        -- What is left of a long read is not sorted anew for each page: the next numbers are asked for first.
        v_upto := (select 16 * p_limit + nullif(min(c.after_number), 0) from unnest(v_held) c);
        while v_users is distinct from '{}' and cardinality(v_page) < p_limit loop
            v_page := array(
                select e from unnest(v_held) c cross join lateral app.bus_unread(c, v_present) e
                 where e.type = any (v_types) and e.payload @> (v_wants -> e.type)
                   and e.number <= coalesce(v_upto, 9223372036854775807) and (v_users is null or e.user_id = any (v_users))
                   and case when e.type <> 'message.received' then true
                            when v_consumer = 'media' then exists (
                                select from messages m
                                 where m.user_id = e.user_id and m.message_id = e.message_id and m.attachments <> '[]')
                            when v_consumer = 'deliveries' then exists (
                                select from messages m
                                 where m.user_id = e.user_id and m.conversation_id = e.conversation_id
                                   and m.status = 'scheduled' and m.cancel_on_reply)
                            else true end
                 order by e.number limit p_limit);
            exit when v_upto is null;
            v_upto := null;
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
