create index ai_events_of_conversation on ai_events (user_id, conversation_id, number desc);

create index ai_events_news on ai_events (user_id, xid, number);

-- What happened after a position, in the order of the log: visible in p_upto and not in p_seen, after a number that a
-- page was cut at. The index finds where the news begins, the key's order gives the page without sorting the rest.
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

drop index ai_events_by_conversation;

alter index ai_events_of_conversation rename to ai_events_by_conversation;

drop function app.number_before(smallint, pg_snapshot);

alter table ai_events alter column number set default nextval('ai_events_number');
