-- depends: 0098.met_together

grant update on event_backlog to alfred_bus; -- only to hold its rows

-- The first events in the backlog of the tenant who comes after the one whose turn was the last.
-- What somebody else holds is about to be erased, and left to the next turn.
-- Like a look it holds the cursor: nobody else works for this consumer in the tenant's bucket meanwhile.
create or replace function app.bus_turn(p_consumers text[], p_last_user uuid, p_last_consumer text, p_limit integer)
returns table (
    consumer text, number bigint, user_id uuid, event_id uuid, type text, contact_id uuid,
    conversation_id uuid, message_id uuid, task_id uuid, payload jsonb, created_at timestamptz
)
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
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
             where b.user_id = v_next.user_id and b.consumer = v_next.consumer order by b.number limit p_limit
               for update skip locked);
        continue when v_numbers = '{}';
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
