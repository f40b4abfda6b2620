-- depends: 0081.event_indexes

-- Who writes holds messages first: in another order they and this would wait for each other. Reading goes on.
lock table messages, message_payloads in share mode;

-- A message's id is a time, and one of a single tenant's: an index that begins with it is filled from one page to the
-- next, where one of a part for each tenant splits its pages in halves.
create unique index message_payloads_by_time on message_payloads (message_id, user_id);

-- Few messages of a tenant have the same time.
create index messages_of_time on messages (user_id, sent_at);

grant create on schema app to alfred_scan;

-- Raw payloads: their keys are times already.
create function app.forget_old_payloads(p_before timestamptz, p_limit integer) returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_before uuid := (lpad(to_hex((extract(epoch from least(p_before, now() - interval '1 day')) * 1000)::bigint), 12, '0')
                      || repeat('0', 20))::uuid;
    v_count  bigint;
begin
    delete from message_payloads p
     where (p.message_id, p.user_id) in (
        select o.message_id, o.user_id from message_payloads o
         where o.message_id < v_before order by o.message_id limit p_limit);
    get diagnostics v_count = row_count;
    return v_count;
end $$;

-- The same, as the version before asks for it.
create or replace function app.forget_old_payloads(p_before timestamptz, p_from uuid, p_limit integer)
returns table (removed bigint, next_user uuid)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
begin
    removed := app.forget_old_payloads(p_before, p_limit);
    next_user := case when removed >= p_limit then p_from end;
    return next;
end $$;

alter function app.forget_old_payloads(timestamptz, integer) owner to alfred_scan;

revoke execute on function app.forget_old_payloads(timestamptz, integer) from public;

grant execute on function app.forget_old_payloads(timestamptz, integer) to alfred_bus_app, alfred_app;

revoke create on schema app from alfred_scan;
