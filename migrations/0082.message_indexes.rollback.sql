drop index messages_of_time;

drop index message_payloads_by_time;

-- Raw payloads, tenant by tenant: their keys are times already. p_from is the first tenant to look at; the next one is
-- told, null after the last.
create or replace function app.forget_old_payloads(p_before timestamptz, p_from uuid, p_limit integer)
returns table (removed bigint, next_user uuid)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_before uuid := (lpad(to_hex((extract(epoch from least(p_before, now() - interval '1 day')) * 1000)::bigint), 12, '0')
                      || repeat('0', 20))::uuid;
    v_users  uuid[] := array(select u.user_id from users u where u.user_id >= p_from order by u.user_id limit 201);
    v_count  bigint;
begin
    removed := 0;
    for v_at in 1 .. least(cardinality(v_users), 200) loop
        delete from message_payloads p
         where p.user_id = v_users[v_at] and p.message_id in (
            select o.message_id from message_payloads o
             where o.user_id = v_users[v_at] and o.message_id < v_before
             order by o.message_id limit p_limit - removed);
        get diagnostics v_count = row_count;
        removed := removed + v_count;
        if removed >= p_limit then
            next_user := v_users[v_at];
            return next;
            return;
        end if;
    end loop;
    next_user := v_users[201];
    return next;
end $$;

drop function app.forget_old_payloads(timestamptz, integer);
