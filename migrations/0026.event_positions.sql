-- depends: 0025.plans

-- A client's place in the log is a snapshot, as the bus's is: these read on from it, for one tenant or for the
-- streams of a process.
create index ai_events_news on ai_events (user_id, xid, number);

-- Whose transaction ids a position speaks of: another cluster's or another database's mean nothing here.
create function app.log_identity() returns text
language sql stable
as $$
    select left(encode(sha256(convert_to(s.system_identifier || ':' || d.oid, 'UTF8')), 'hex'), 12)
      from pg_control_system() s, pg_database d
     where d.datname = current_database()
$$;

-- What happened after a position, in the order of the log: visible in p_upto and not in p_seen, after a number that a
-- page was cut at. The index finds where the news begins, the key's order gives the page without sorting the rest.
create function app.events_after(
    p_user uuid, p_seen pg_snapshot, p_upto pg_snapshot, p_after bigint,
    p_types text[], p_conversation uuid, p_limit integer
) returns setof ai_events
language plpgsql stable
as $$
declare
    v_after bigint := p_after;
begin
    if v_after = 0 and pg_snapshot_xmax(p_seen) > '1' then
        select least(
                   (select min(e.number) from ai_events e
                     where e.user_id = p_user and e.xid >= pg_snapshot_xmax(p_seen)
                       and e.xid < pg_snapshot_xmax(p_upto)),
                   (select min(e.number) from pg_snapshot_xip(p_seen) x
                      join ai_events e on e.user_id = p_user and e.xid = x)
               ) - 1
          into v_after;
        if v_after is null then
            return;
        end if;
    end if;
    return query
        select e.* from ai_events e
         where e.user_id = p_user and e.number > v_after
           and not pg_visible_in_snapshot(e.xid, p_seen) and pg_visible_in_snapshot(e.xid, p_upto)
           and (p_types is null or e.type = any (p_types))
           and (p_conversation is null or e.conversation_id = p_conversation)
         order by e.number
         limit p_limit;
end $$;

grant create on schema app to alfred_bus;

-- The same for many tenants at once: what the streams of a process have not been handed.
create function app.events_of_users(
    p_users uuid[], p_seen pg_snapshot, p_upto pg_snapshot, p_after bigint, p_limit integer
) returns setof ai_events
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan
as $$
begin
    return query
        select n.* from generate_series(0, 15) b cross join lateral (
            select e.* from ai_events e
             where e.bucket = b::smallint and e.xid >= pg_snapshot_xmax(p_seen) and e.xid < pg_snapshot_xmax(p_upto)
            union all
            select e.* from pg_snapshot_xip(p_seen) x
              join ai_events e on e.bucket = b::smallint and e.xid = x
        ) n
         where n.user_id = any (p_users) and n.number > p_after and pg_visible_in_snapshot(n.xid, p_upto)
         order by n.number
         limit p_limit;
end $$;

alter function app.events_of_users(uuid[], pg_snapshot, pg_snapshot, bigint, integer) owner to alfred_bus;

revoke create on schema app from alfred_bus;
