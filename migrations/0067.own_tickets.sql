-- depends: 0066.wait_again

-- Only a tenant's own old tickets go: whose hat is worn decides, as with the new one.
create or replace function app.issue_ticket(
    p_user uuid, p_ticket_hash bytea, p_expires_at timestamptz, p_token uuid, p_session uuid, p_until timestamptz
) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from stream_tickets where user_id = p_user and user_id = app.current_user_id() and expires_at < now();
    insert into stream_tickets (ticket_hash, user_id, expires_at, token_id, session_id, until)
    select p_ticket_hash, p_user, least(p_expires_at, now() + interval '5 minutes'), p_token, p_session, p_until
     where p_user = app.current_user_id();
$$;
