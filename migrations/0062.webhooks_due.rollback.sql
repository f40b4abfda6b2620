-- depends: 0061.accountless

create or replace function app.webhooks_due_in() returns double precision
language sql stable security definer set search_path = public, pg_temp
as $$
    select greatest(extract(epoch from min(next_at) - now()), 0.02)::double precision
      from webhook_lanes where next_at > now() and next_at < now() + interval '1 minute'
$$;
