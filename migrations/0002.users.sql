-- depends: 0001.ground

-- Users are the tenants. What a login needs lives apart, where only the authentication role looks.
create table users (
    user_id    uuid        not null,
    name       text        not null,
    email      text        not null,
    locale     text        not null default 'pt-BR',
    timezone   text        not null default 'America/Sao_Paulo',
    currency   text        not null default 'BRL',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint users_key primary key (user_id)
);

alter table users enable row level security;

alter table users force row level security;

create policy users_own on users
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy users_service on users to alfred_auth using (true) with check (true);

grant select, update (name, locale, timezone, currency, updated_at) on users to alfred_app;

grant select, insert, delete on users to alfred_auth;

create table logins (
    email_key     text not null,
    user_id       uuid not null,
    password_hash text not null,
    constraint logins_email_taken primary key (email_key),
    constraint logins_one_each unique (user_id),
    constraint logins_user foreign key (user_id) references users on delete cascade
);

create table login_failures (
    email_key text        not null,
    address   text        not null,
    failed_at timestamptz not null default now()
);

create index login_failures_by_email on login_failures (email_key, failed_at);

create index login_failures_by_address on login_failures (address, failed_at);

create table refresh_tokens (
    token_hash bytea       not null,
    family_id  uuid        not null,
    user_id    uuid        not null,
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    spent_at   timestamptz,
    revoked_at timestamptz,
    constraint refresh_tokens_key primary key (token_hash),
    constraint refresh_tokens_user foreign key (user_id) references users on delete cascade
);

create index refresh_tokens_by_family on refresh_tokens (family_id);

create index refresh_tokens_by_user on refresh_tokens (user_id);

alter table logins enable row level security;

alter table logins force row level security;

create policy logins_service on logins to alfred_auth using (true) with check (true);

alter table login_failures enable row level security;

alter table login_failures force row level security;

create policy login_failures_service on login_failures to alfred_auth using (true) with check (true);

alter table refresh_tokens enable row level security;

alter table refresh_tokens force row level security;

create policy refresh_tokens_service on refresh_tokens to alfred_auth using (true) with check (true);

grant select, insert, update, delete on logins, login_failures, refresh_tokens to alfred_auth;

-- Puts the tenant's hat on this transaction. Refuses a user who is gone: a token outlives its user.
create function app.act_as(p_user uuid) returns void
language plpgsql volatile
as $$
begin
    perform set_config('app.user_id', p_user::text, true);
    if not exists (select from users where user_id = p_user) then
        raise exception 'user % is not there', p_user using errcode = 'AL401';
    end if;
end $$;

create function app.register(
    p_user uuid, p_name text, p_email text, p_email_key text, p_password_hash text,
    p_locale text, p_timezone text, p_currency text
) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    insert into users (user_id, name, email, locale, timezone, currency)
    values (p_user, p_name, p_email, p_locale, p_timezone, p_currency);
    insert into logins (email_key, user_id, password_hash) values (p_email_key, p_user, p_password_hash);
$$;

-- What a login needs to be judged; one row, also for an e-mail that nobody has.
-- An address counts the different e-mails that failed from it, so that one forgetful
-- person does not lock out the office behind the same address.
create function app.find_login(p_email_key text, p_address text, p_window interval)
returns table (user_id uuid, password_hash text, email_failures bigint, address_failures bigint)
language sql stable security definer set search_path = public, pg_temp
as $$
    select l.user_id,
           l.password_hash,
           (select count(*) from login_failures f
             where f.email_key = p_email_key and f.failed_at > now() - p_window),
           (select count(distinct f.email_key) from login_failures f
             where f.address = p_address and f.failed_at > now() - p_window)
      from (values (p_email_key)) as asked (email_key)
      left join logins l using (email_key)
$$;

-- Failures older than a day are of no use; each new one sweeps a few of them away.
create function app.login_failed(p_email_key text, p_address text) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    insert into login_failures (email_key, address) values (p_email_key, p_address);
    delete from login_failures
     where ctid = any (array(select ctid from login_failures where failed_at < now() - interval '1 day' limit 100));
$$;

create function app.start_session(p_user uuid, p_family uuid, p_token_hash bytea, p_expires_at timestamptz) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from refresh_tokens where user_id = p_user and expires_at < now();
    insert into refresh_tokens (token_hash, family_id, user_id, expires_at)
    values (p_token_hash, p_family, p_user, p_expires_at);
$$;

-- Spends a refresh token for a new one. A spent one that comes again was stolen: its family ends.
create function app.renew_session(p_old bytea, p_new bytea, p_expires_at timestamptz)
returns table (outcome text, user_id uuid)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_token refresh_tokens;
begin
    select * into v_token from refresh_tokens t where t.token_hash = p_old for update;
    if not found or v_token.expires_at < now() then
        return query select 'unknown'::text, null::uuid;
    elsif v_token.spent_at is not null then
        update refresh_tokens t set revoked_at = now()
         where t.family_id = v_token.family_id and t.revoked_at is null;
        return query select 'reused'::text, v_token.user_id;
    elsif v_token.revoked_at is not null then
        return query select 'unknown'::text, null::uuid;
    else
        update refresh_tokens t set spent_at = now() where t.token_hash = p_old;
        insert into refresh_tokens (token_hash, family_id, user_id, expires_at)
        values (p_new, v_token.family_id, v_token.user_id, p_expires_at);
        return query select 'renewed'::text, v_token.user_id;
    end if;
end $$;

create function app.end_session(p_token_hash bytea) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    update refresh_tokens set revoked_at = now()
     where family_id = (select family_id from refresh_tokens where token_hash = p_token_hash) and revoked_at is null
$$;

-- The three below speak of the tenant whose hat the transaction wears, never of another.
create function app.own_password_hash() returns text
language sql stable security definer set search_path = public, pg_temp
as $$ select password_hash from logins where user_id = app.current_user_id() $$;

create function app.change_own_password(p_password_hash text) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    update logins set password_hash = p_password_hash where user_id = app.current_user_id();
    update refresh_tokens set revoked_at = now() where user_id = app.current_user_id() and revoked_at is null;
$$;

create function app.erase_own_user() returns void
language sql volatile security definer set search_path = public, pg_temp
as $$ delete from users where user_id = app.current_user_id() $$;

alter function app.register(uuid, text, text, text, text, text, text, text) owner to alfred_auth;

alter function app.find_login(text, text, interval) owner to alfred_auth;

alter function app.login_failed(text, text) owner to alfred_auth;

alter function app.start_session(uuid, uuid, bytea, timestamptz) owner to alfred_auth;

alter function app.renew_session(bytea, bytea, timestamptz) owner to alfred_auth;

alter function app.end_session(bytea) owner to alfred_auth;

alter function app.own_password_hash() owner to alfred_auth;

alter function app.change_own_password(text) owner to alfred_auth;

alter function app.erase_own_user() owner to alfred_auth;
