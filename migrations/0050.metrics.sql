-- depends: 0049.refinements

grant create on schema app to alfred_bus;

-- How each consumer is doing: the age of its oldest unread event, what waits for a turn or another attempt, what was
-- given up.
create function app.bus_state()
returns table (consumer text, lag_seconds double precision, waiting bigint, dead bigint)
language sql stable security definer set search_path = public, pg_temp
as $$
    select c.consumer,
           greatest(coalesce(extract(epoch from clock_timestamp() - min(e.created_at)), 0), 0)::double precision,
           (select count(*) from (select from event_backlog b where b.consumer = c.consumer limit 100000) b)
               + (select count(*) from event_retries r where r.consumer = c.consumer and r.state = 'waiting'),
           (select count(*) from event_retries r where r.consumer = c.consumer and r.state = 'dead')
      from bus_cursors c
      left join lateral (select created_at from ai_events e
                          where e.bucket = c.bucket and e.xid >= pg_snapshot_xmax(c.seen) and e.number > c.after_number
                          order by e.xid limit 1) e on true
     group by c.consumer
$$;

alter function app.bus_state() owner to alfred_bus;

revoke execute on function app.bus_state() from public;

grant execute on function app.bus_state() to alfred_app;

revoke create on schema app from alfred_bus;
