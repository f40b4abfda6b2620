-- depends: 0050.metrics

-- Who guesses is counted by e-mail and address together, so that nobody locks out anybody else.
create index login_failures_by_both on login_failures (email_key, address, failed_at);

grant create on schema app to alfred_auth;

-- Addresses that are one household or machine: an IPv6 network of 64 bits counts as one.
create function app.address_key(p_address text) returns text
language plpgsql immutable
as $$
begin
    return case when family(p_address::inet) = 6 then host(network(set_masklen(p_address::inet, 64))) else p_address end;
exception when invalid_text_representation then
    return p_address;
end $$;

-- What a login needs to be judged; one row, also for an e-mail that nobody has.
-- `address_failures` counts the different e-mails that failed from an address, so that one forgetful person does not
-- lock out the office behind it; `at_home` tells that this very e-mail has logged in from there lately.
create function app.judge_login(p_email_key text, p_address text, p_window interval)
returns table (
    user_id uuid, password_hash text, own_failures bigint, address_failures bigint, email_failures bigint, at_home boolean
)
language sql stable security definer set search_path = public, pg_temp
as $$
    select l.user_id,
           l.password_hash,
           (select count(*) from login_failures f
             where f.email_key = p_email_key and f.address = p_address and f.failed_at > now() - p_window),
           (select count(distinct f.email_key) from login_failures f
             where f.address = p_address and f.failed_at > now() - p_window),
           (select count(*) from login_failures f
             where f.email_key = p_email_key and f.failed_at > now() - p_window),
           exists (select from sessions s
                    where s.user_id = l.user_id and app.address_key(s.address) = p_address
                      and s.last_used_at > now() - interval '30 days')
      from (values (p_email_key)) as asked (email_key)
      left join logins l using (email_key)
$$;

-- Of the tenant whose hat is worn.
create function app.own_login() returns table (email_key text, password_hash text)
language sql stable security definer set search_path = public, pg_temp
as $$ select email_key, password_hash from logins where user_id = app.current_user_id() $$;

-- For the operator, who asks as the owner: a new password, and every session of before ends. False: nobody has the e-mail.
create function app.set_password(p_email_key text, p_password_hash text) returns boolean
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_user uuid;
begin
    update logins set password_hash = p_password_hash where email_key = p_email_key returning user_id into v_user;
    update sessions set ended_at = now() where user_id = v_user and ended_at is null;
    update refresh_tokens set revoked_at = now() where user_id = v_user and revoked_at is null;
    delete from login_failures where email_key = p_email_key;
    return v_user is not null;
end $$;

alter function app.judge_login(text, text, interval) owner to alfred_auth;

alter function app.own_login() owner to alfred_auth;

alter function app.set_password(text, text) owner to alfred_auth;

revoke execute on function app.judge_login(text, text, interval) from public;

grant execute on function app.judge_login(text, text, interval) to alfred_app;

revoke execute on function app.own_login() from public;

grant execute on function app.own_login() to alfred_app;

revoke execute on function app.set_password(text, text) from public;

grant execute on function app.set_password(text, text) to current_user;

revoke create on schema app from alfred_auth;
