grant create on schema app to alfred_bus;

create function app.bus_with_cancellable(p_users uuid[], p_conversations uuid[]) returns setof bigint
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
    return query
        select e.at from unnest(p_users, p_conversations) with ordinality as e (user_id, conversation_id, at)
         where exists (select from messages m
                        where m.user_id = e.user_id and m.conversation_id = e.conversation_id
                          and m.status = 'scheduled' and m.cancel_on_reply);
end $$;

alter function app.bus_with_cancellable(uuid[], uuid[]) owner to alfred_bus;

revoke execute on function app.bus_with_cancellable(uuid[], uuid[]) from public;

grant execute on function app.bus_with_cancellable(uuid[], uuid[]) to alfred_bus_app, alfred_app;

revoke create on schema app from alfred_bus;
