-- depends: 0059.attachments_asked

-- Logins of their own for authentication and for the work in the background: requests, where text of strangers meets
-- SQL, neither read passwords and tokens nor learn who else is there. Until all three are used (app.separate_logins),
-- alfred_app may do everything, as before.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['alfred_auth_app', 'alfred_bus_app'] loop
        begin
            if not exists (select from pg_roles where rolname = v_role) then
                execute format('create role %I nologin', v_role);
            end if;
        exception when duplicate_object or unique_violation then
            null;
        end;
    end loop;
    if not pg_has_role('alfred_bus_app', 'alfred_app', 'usage') then
        begin
            grant alfred_app to alfred_bus_app;
        exception when insufficient_privilege then
            raise warning 'the logins cannot be separated before a superuser has run: grant alfred_app to alfred_bus_app';
        end;
    end if;
end $$;

grant usage on schema app to alfred_auth_app, alfred_bus_app;

grant create on schema app to alfred_auth;

-- What a user proves to be themselves by, without a hat: the login that asks has none to put on.
create function app.login_of(p_user uuid) returns table (email_key text, password_hash text)
language sql stable security definer set search_path = public, pg_temp
as $$ select email_key, password_hash from logins where user_id = p_user $$;

-- Every other session ends. That of a cookie goes on; another one's refresh tokens are revoked, and its last access
-- token (p_access_ttl) lets it finish what it is doing. False: the user is gone.
create function app.change_password(p_user uuid, p_password_hash text, p_session uuid, p_access_ttl interval) returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
begin
    update sessions
       set ended_at = case when session_id is not distinct from p_session then null else now() end,
           ends_at  = case when session_id is not distinct from p_session then least(ends_at, now() + p_access_ttl)
                           else ends_at end
     where user_id = p_user and ended_at is null
       and not (cookie and session_id is not distinct from p_session);
    update refresh_tokens t set revoked_at = now()
     where t.user_id = p_user and t.revoked_at is null
       and not exists (select from sessions s
                        where s.user_id = t.user_id and s.session_id = t.family_id
                          and s.cookie and s.session_id is not distinct from p_session);
    update logins set password_hash = p_password_hash where user_id = p_user;
    return found;
end $$;

alter function app.login_of(uuid) owner to alfred_auth;

alter function app.change_password(uuid, text, uuid, interval) owner to alfred_auth;

revoke create on schema app from alfred_auth;

-- Each function that acts as its owner belongs to one login. What alfred_app keeps speaks of one tenant, whom the caller
-- names or whose hat it wears; alfred_bus_app is a member of alfred_app.
do $$
declare
    v_auth text[] := array[
        'change_own_password', 'change_password', 'end_session', 'find_hook', 'find_login', 'find_media', 'find_token',
        'judge_login', 'login_failed', 'login_of', 'own_login', 'own_password_hash', 'owner_of_token',
        'redeem_opener', 'redeem_ticket', 'register', 'renew_password_hash', 'renew_session', 'session_holds',
        'start_session', 'streams_ended'];
    v_app text[] := array[
        'end_own_session', 'erase_own_user', 'erased_items', 'forget_own_attempts', 'forget_own_failures',
        'forget_own_traces', 'issue_ticket', 'log_begins_at', 'search_contacts', 'search_conversations',
        'search_matches', 'search_page', 'take_in_known'];
    v_function record;
    v_login    text;
begin
    for v_function in
        select oid::regprocedure as name, proname from pg_proc
         where pronamespace = 'app'::regnamespace and prosecdef and has_function_privilege('alfred_app', oid, 'execute')
    loop
        v_login := case when v_function.proname = any (v_auth) then 'alfred_auth_app'
                        when v_function.proname = any (v_app) then 'alfred_app'
                        else 'alfred_bus_app' end;
        execute format('grant execute on function %s to %I, alfred_app', v_function.name, v_login);
    end loop;
end $$;

-- Whether alfred_app leaves to the other logins what is theirs; else it may do all of it.
create function app.separate_logins(p_separate boolean) returns void
language plpgsql volatile
as $$
declare
    v_function regprocedure;
begin
    for v_function in
        select p.oid::regprocedure from pg_proc p
         where p.pronamespace = 'app'::regnamespace and p.prosecdef
           and exists (select from aclexplode(p.proacl) a
                        where a.grantee in ('alfred_auth_app'::regrole, 'alfred_bus_app'::regrole))
           and p_separate = exists (select from aclexplode(p.proacl) a where a.grantee = 'alfred_app'::regrole)
    loop
        execute format(case when p_separate then 'revoke execute on function %s from alfred_app'
                            else 'grant execute on function %s to alfred_app' end, v_function);
    end loop;
end $$;

-- No function that acts as its owner is for everybody: run after each migration, so that none can be forgotten. (Default
-- privileges cannot tell such functions from those that have only the caller's rights.)
create function app.close_functions() returns void
language plpgsql volatile
as $$
declare
    v_function regprocedure;
begin
    for v_function in
        select p.oid::regprocedure from pg_proc p
         where p.pronamespace = 'app'::regnamespace and p.prosecdef
           and exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee = 0)
    loop
        execute format('revoke execute on function %s from public', v_function);
    end loop;
end $$;

revoke execute on function app.separate_logins(boolean), app.close_functions() from public;

do $$ begin perform app.close_functions(); end $$;
