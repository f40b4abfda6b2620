-- depends: 0053.inbox_page

-- Most messages bring no file and call nothing off: for a batch of them one question each is enough. Both answer with
-- the places of the events, from 1, for which there is something to do.
grant select (status, cancel_on_reply) on messages to alfred_bus;

grant create on schema app to alfred_bus;

create function app.bus_with_files(p_users uuid[], p_messages uuid[]) returns setof bigint
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
begin
    return query
        select e.at from unnest(p_users, p_messages) with ordinality as e (user_id, message_id, at)
          join messages m on m.user_id = e.user_id and m.message_id = e.message_id
         where m.attachments <> '[]';
end $$;

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

alter function app.bus_with_files(uuid[], uuid[]) owner to alfred_bus;

alter function app.bus_with_cancellable(uuid[], uuid[]) owner to alfred_bus;

revoke execute on function app.bus_with_files(uuid[], uuid[]) from public;

revoke execute on function app.bus_with_cancellable(uuid[], uuid[]) from public;

grant execute on function app.bus_with_files(uuid[], uuid[]) to alfred_app;

grant execute on function app.bus_with_cancellable(uuid[], uuid[]) to alfred_app;

revoke create on schema app from alfred_bus;
