-- depends: 0026.event_positions

-- A ticket carries what it was issued to: a token or a session, and when that expires.
alter table stream_tickets
    add column token_id   uuid,
    add column session_id uuid,
    add column until      timestamptz;

grant create on schema app to alfred_auth;

create function app.issue_ticket(
    p_user uuid, p_ticket_hash bytea, p_expires_at timestamptz, p_token uuid, p_session uuid, p_until timestamptz
) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from stream_tickets where user_id = p_user and expires_at < now();
    insert into stream_tickets (ticket_hash, user_id, expires_at, token_id, session_id, until)
    select p_ticket_hash, p_user, least(p_expires_at, now() + interval '5 minutes'), p_token, p_session, p_until
     where p_user = app.current_user_id();
$$;

create function app.redeem_opener(p_ticket_hash bytea)
returns table (user_id uuid, token_id uuid, session_id uuid, until timestamptz)
language sql volatile security definer set search_path = public, pg_temp
as $$
    with spent as (delete from stream_tickets where ticket_hash = p_ticket_hash returning *)
    select s.user_id, s.token_id, s.session_id, s.until from spent s
     where s.expires_at > now() and (s.until is null or s.until > now())
$$;

-- Which of these may not go on: the user is erased, the token revoked or expired, the session ended. In plpgsql, since
-- the sessions' own migration comes later.
create function app.streams_ended(p_users uuid[], p_tokens uuid[], p_sessions uuid[]) returns setof bigint
language plpgsql stable security definer set search_path = public, pg_temp
as $$
begin
    return query
    select o.n from unnest(p_users, p_tokens, p_sessions) with ordinality o (user_id, token_id, session_id, n)
     where not exists (select from users u where u.user_id = o.user_id)
        or (o.token_id is not null and not exists (
               select from api_tokens t
                where t.user_id = o.user_id and t.token_id = o.token_id
                  and (t.expires_at is null or t.expires_at > now())))
        or (o.session_id is not null and not app.session_holds(o.user_id, o.session_id));
end $$;

alter function app.issue_ticket(uuid, bytea, timestamptz, uuid, uuid, timestamptz) owner to alfred_auth;

alter function app.redeem_opener(bytea) owner to alfred_auth;

alter function app.streams_ended(uuid[], uuid[], uuid[]) owner to alfred_auth;

revoke create on schema app from alfred_auth;
