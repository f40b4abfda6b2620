-- depends: 0080.first_classification

-- The index that told where a tenant's news begins cost a twentieth of a message, for those who ask. A number below all
-- of it is found without: a transaction takes its id before it draws numbers, so what began after a snapshot has higher
-- numbers than anything that was visible in it.
alter table ai_events alter column number
    set default case when pg_current_xact_id() is not null then nextval('ai_events_number') end;

grant create on schema app to alfred_bus;

-- A number below those of everything in a bucket that was not visible in a snapshot: of what began later, of what was
-- under way, and of what was under way with an id above all that had ended, at most one transaction for a connection.
create function app.number_before(p_bucket smallint, p_seen pg_snapshot) returns bigint
language sql stable security definer set search_path = public, pg_temp
set enable_seqscan = off set enable_sort = off set jit = off
as $$
    with recursive young as (
        (select e.xid, e.number from ai_events e
          where e.bucket = p_bucket and e.xid >= pg_snapshot_xmax(p_seen)
          order by e.xid, e.number limit 1)
         union all
        select n.xid, n.number from young y cross join lateral (
            select e.xid, e.number from ai_events e
             where e.bucket = p_bucket and e.xid > y.xid order by e.xid, e.number limit 1) n
    )
    select least(
               coalesce((select e.number from ai_events e
                          where e.bucket = p_bucket and e.xid < pg_snapshot_xmax(p_seen)
                            and pg_visible_in_snapshot(e.xid, p_seen)
                          order by e.xid desc, e.number desc limit 1), 0),
               (select min(e.number) - 1 from ai_events e
                 where e.bucket = p_bucket and e.xid = any (array(select pg_snapshot_xip(p_seen)))),
               (select min(f.number) - 1 from (
                    select y.number from young y
                     limit current_setting('max_connections')::integer
                           + current_setting('max_prepared_transactions')::integer) f))
$$;

alter function app.number_before(smallint, pg_snapshot) owner to alfred_bus;

revoke execute on function app.number_before(smallint, pg_snapshot) from public;

grant execute on function app.number_before(smallint, pg_snapshot) to alfred_app;

revoke create on schema app from alfred_bus;

-- What happened after a position, in the order of the log: visible in p_upto and not in p_seen, after a number that a
-- page was cut at. The key's order gives the page without sorting the rest.
create or replace function app.events_after(
    p_user uuid, p_seen pg_snapshot, p_upto pg_snapshot, p_after bigint,
    p_types text[], p_conversation uuid, p_limit integer
) returns setof ai_events
language plpgsql stable
as $$
declare
    v_after bigint := p_after;
begin
    if v_after = 0 and pg_snapshot_xmax(p_seen) > '1' then
        v_after := app.number_before(app.bucket(p_user), p_seen);
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

-- An id is one of a single tenant's: the narrower index finds as much.
create index ai_events_of_conversation on ai_events (conversation_id, number);

drop index ai_events_by_conversation, ai_events_news;

alter index ai_events_of_conversation rename to ai_events_by_conversation;
