-- depends: 0039.delivery_looks

-- A session is a family of refresh tokens, as its user sees it: where it began, when it was last used, when it ends.
create table sessions (
    user_id      uuid        not null,
    session_id   uuid        not null,
    cookie       boolean     not null default false,
    user_agent   text,
    address      text,
    created_at   timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at   timestamptz not null,
    ends_at      timestamptz not null,
    ended_at     timestamptz,
    constraint sessions_key primary key (user_id, session_id),
    constraint sessions_user foreign key (user_id) references users on delete cascade
);

create index sessions_by_age on sessions (user_id, created_at desc, session_id desc);

alter table sessions enable row level security;

alter table sessions force row level security;

create policy sessions_own on sessions
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy sessions_service on sessions to alfred_auth using (true) with check (true);

grant select on sessions to alfred_app;

grant select, insert, update, delete on sessions to alfred_auth;

insert into sessions (user_id, session_id, created_at, last_used_at, expires_at, ends_at, ended_at)
select user_id, family_id, min(created_at), max(created_at), max(expires_at),
       greatest(min(created_at) + interval '90 days', max(expires_at)), max(revoked_at)
  from refresh_tokens
 group by user_id, family_id;

create index refresh_tokens_by_session on refresh_tokens (user_id, family_id);

drop index refresh_tokens_by_user;

alter table refresh_tokens add constraint refresh_tokens_session
    foreign key (user_id, family_id) references sessions (user_id, session_id) on delete cascade;

grant create on schema app to alfred_auth;

-- The first token of a new session. What nobody can use any more goes, and so do the sessions over a thousand.
create function app.start_session(
    p_user uuid, p_session uuid, p_token_hash bytea, p_ttl interval, p_max_age interval,
    p_cookie boolean, p_user_agent text, p_address text
) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from refresh_tokens where user_id = p_user and expires_at < now();
    delete from sessions where user_id = p_user and least(expires_at, ends_at) < now() - interval '1 day';
    delete from sessions
     where user_id = p_user
       and session_id in (select session_id from sessions where user_id = p_user
                           order by created_at desc, session_id desc offset 999);
    insert into sessions (user_id, session_id, cookie, user_agent, address, expires_at, ends_at)
    values (p_user, p_session, p_cookie, p_user_agent, p_address, now() + least(p_ttl, p_max_age), now() + p_max_age);
    insert into refresh_tokens (token_hash, family_id, user_id, expires_at)
    values (p_token_hash, p_session, p_user, now() + least(p_ttl, p_max_age));
$$;

-- For the version before this one, which may still be running.
create or replace function app.start_session(p_user uuid, p_family uuid, p_token_hash bytea, p_expires_at timestamptz) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from refresh_tokens where user_id = p_user and expires_at < now();
    insert into sessions (user_id, session_id, expires_at, ends_at)
    values (p_user, p_family, p_expires_at, greatest(p_expires_at, now() + interval '90 days'));
    insert into refresh_tokens (token_hash, family_id, user_id, expires_at)
    values (p_token_hash, p_family, p_user, p_expires_at);
$$;

-- Spends a refresh token for a new one. A spent one that comes again was stolen: its session ends. But a browser whose
-- answer was lost (p_grace, for the sessions of a cookie) gets a successor again.
-- The session's row is locked before its tokens, here and wherever a session ends.
create function app.renew_session(
    p_old bytea, p_new bytea, p_ttl interval, p_max_age interval, p_cookie boolean, p_grace interval
) returns table (outcome text, user_id uuid, session_id uuid)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_session sessions;
    v_token   refresh_tokens;
    v_end     timestamptz;
    v_expiry  timestamptz;
begin
    select s.* into v_session
      from refresh_tokens t join sessions s on s.user_id = t.user_id and s.session_id = t.family_id
     where t.token_hash = p_old
       for update of s;
    select * into v_token from refresh_tokens t where t.token_hash = p_old;
    v_end := least(v_session.ends_at, v_session.created_at + p_max_age);
    if not found or v_token.expires_at < now() or v_end <= now() then
        return query select 'unknown'::text, null::uuid, null::uuid;
    elsif v_token.spent_at is not null
          and not (v_session.cookie and v_session.ended_at is null and v_token.revoked_at is null
                   and v_token.spent_at > now() - p_grace) then
        update sessions s set ended_at = now()
         where s.user_id = v_token.user_id and s.session_id = v_token.family_id and s.ended_at is null;
        update refresh_tokens t set revoked_at = now()
         where t.family_id = v_token.family_id and t.revoked_at is null;
        return query select 'reused'::text, v_token.user_id, v_token.family_id;
    elsif v_token.revoked_at is not null or v_session.ended_at is not null then
        return query select 'unknown'::text, null::uuid, null::uuid;
    else
        v_expiry := least(now() + p_ttl, v_end);
        update refresh_tokens t set spent_at = coalesce(t.spent_at, now()) where t.token_hash = p_old;
        insert into refresh_tokens (token_hash, family_id, user_id, expires_at)
        values (p_new, v_token.family_id, v_token.user_id, v_expiry);
        update sessions s
           set last_used_at = now(), expires_at = v_expiry, ends_at = v_end, cookie = s.cookie or p_cookie
         where s.user_id = v_token.user_id and s.session_id = v_token.family_id;
        return query select 'renewed'::text, v_token.user_id, v_token.family_id;
    end if;
end $$;

create or replace function app.end_session(p_token_hash bytea) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    update sessions set ended_at = now()
     where (user_id, session_id) = (select user_id, family_id from refresh_tokens where token_hash = p_token_hash)
       and ended_at is null;
    update refresh_tokens set revoked_at = now()
     where family_id = (select family_id from refresh_tokens where token_hash = p_token_hash) and revoked_at is null
$$;

-- Whether an access token may still be used: of a session that goes on, or (of before sessions had names) of a user who is there.
create function app.session_holds(p_user uuid, p_session uuid) returns boolean
language sql stable security definer set search_path = public, pg_temp
as $$
    select case when p_session is null then exists (select from users where user_id = p_user)
                else exists (select from sessions
                              where user_id = p_user and session_id = p_session
                                and ended_at is null and ends_at > now())
           end
$$;

-- The three below speak of the tenant whose hat the transaction wears, never of another.
create function app.end_own_session(p_session uuid) returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
begin
    update sessions set ended_at = now()
     where user_id = app.current_user_id() and session_id = p_session
       and ended_at is null and expires_at > now() and ends_at > now();
    if not found then
        return false;
    end if;
    update refresh_tokens set revoked_at = now()
     where user_id = app.current_user_id() and family_id = p_session and revoked_at is null;
    return true;
end $$;

-- Every other session ends. That of a cookie goes on; another one's refresh tokens are revoked, and its last access
-- token (p_access_ttl) lets it finish what it is doing.
create function app.change_own_password(p_password_hash text, p_session uuid, p_access_ttl interval) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    update sessions
       set ended_at = case when session_id is not distinct from p_session then null else now() end,
           ends_at  = case when session_id is not distinct from p_session then least(ends_at, now() + p_access_ttl)
                           else ends_at end
     where user_id = app.current_user_id() and ended_at is null
       and not (cookie and session_id is not distinct from p_session);
    update refresh_tokens t set revoked_at = now()
     where t.user_id = app.current_user_id() and t.revoked_at is null
       and not exists (select from sessions s
                        where s.user_id = t.user_id and s.session_id = t.family_id
                          and s.cookie and s.session_id is not distinct from p_session);
    update logins set password_hash = p_password_hash where user_id = app.current_user_id();
$$;

-- For the version before this one.
create or replace function app.change_own_password(p_password_hash text) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$ select app.change_own_password(p_password_hash, null, interval '0') $$;

alter function app.start_session(uuid, uuid, bytea, interval, interval, boolean, text, text) owner to alfred_auth;

alter function app.renew_session(bytea, bytea, interval, interval, boolean, interval) owner to alfred_auth;

alter function app.session_holds(uuid, uuid) owner to alfred_auth;

alter function app.end_own_session(uuid) owner to alfred_auth;

alter function app.change_own_password(text, uuid, interval) owner to alfred_auth;

revoke create on schema app from alfred_auth;
