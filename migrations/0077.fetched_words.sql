-- depends: 0076.interpreted

grant create on schema app to alfred_bus;

create policy connections_bus on connections for select to alfred_bus using (true);

grant select (user_id, provider, config) on connections to alfred_bus;

-- Of these users, those whose mails come without their words: they are fetched.
create function app.users_who_fetch_words(p_users uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off
as $$
begin
    return query select u from unnest(p_users) u
                  where exists (select from connections k
                                 where k.user_id = u and k.provider = 'email'
                                   and k.config #>> '{inbound,provider}' = 'resend');
end $$;

alter function app.users_who_fetch_words(uuid[]) owner to alfred_bus;

revoke execute on function app.users_who_fetch_words(uuid[]) from public;

grant execute on function app.users_who_fetch_words(uuid[]) to alfred_bus_app, alfred_app;

revoke create on schema app from alfred_bus;
