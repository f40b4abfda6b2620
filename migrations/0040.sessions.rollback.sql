create or replace function app.change_own_password(p_password_hash text) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    update logins set password_hash = p_password_hash where user_id = app.current_user_id();
    update refresh_tokens set revoked_at = now() where user_id = app.current_user_id() and revoked_at is null;
$$;

drop function app.change_own_password(text, uuid, interval);

drop function app.end_own_session(uuid);

drop function app.session_holds(uuid, uuid);

create or replace function app.end_session(p_token_hash bytea) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    update refresh_tokens set revoked_at = now()
     where family_id = (select family_id from refresh_tokens where token_hash = p_token_hash) and revoked_at is null
$$;

drop function app.renew_session(bytea, bytea, interval, interval, boolean, interval);

create or replace function app.start_session(p_user uuid, p_family uuid, p_token_hash bytea, p_expires_at timestamptz) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from refresh_tokens where user_id = p_user and expires_at < now();
    insert into refresh_tokens (token_hash, family_id, user_id, expires_at)
    values (p_token_hash, p_family, p_user, p_expires_at);
$$;

drop function app.start_session(uuid, uuid, bytea, interval, interval, boolean, text, text);

alter table refresh_tokens drop constraint refresh_tokens_session;

create index refresh_tokens_by_user on refresh_tokens (user_id);

drop index refresh_tokens_by_session;

drop table sessions;
