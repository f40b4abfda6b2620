-- depends: 0014.patience

-- For the tenant whose hat the transaction wears, and for minutes: no slip of a caller opens somebody else's stream.
create or replace function app.issue_ticket(p_user uuid, p_ticket_hash bytea, p_expires_at timestamptz) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from stream_tickets where user_id = p_user and expires_at < now();
    insert into stream_tickets (ticket_hash, user_id, expires_at)
    select p_ticket_hash, p_user, least(p_expires_at, now() + interval '5 minutes')
     where p_user = app.current_user_id();
$$;
