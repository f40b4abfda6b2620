-- depends: 0093.one_message_key

-- A page of a search reads so much and no more. The index gives all that holds a rare text. Any other, or one that the
-- index knows nothing of, is looked for in conversations as they are listed, for a moment: a page may be short, or empty,
-- and the next one goes on behind the last conversation that was looked into.

grant create on schema app to alfred_search;

-- Whether a contact's name and handle hold a text; of digits and signs the digits are enough.
create function app.contact_holds(p_norm text, p_text text) returns boolean
language sql immutable parallel safe
as $$ select app.holds(p_norm, p_text) or p_norm like app.digits_pattern(p_text) $$;

-- What holds a text by the index alone, no more than shows that it is not rare: messages, and conversations of contacts
-- without one.
create function app.search_held(p_text text)
returns table (conversation_id uuid, message_id uuid, sent_at timestamptz)
language plpgsql stable set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
set enable_seqscan = off set jit = off
as $$
declare
    v_user uuid := app.current_user_id();
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    return query
        with said as materialized ( -- a plan for the first few would read all messages, and not the index
            select m.conversation_id, m.message_id, m.sent_at
              from messages m where m.user_id = v_user and app.holds(m.norm, p_text)
        ), named as materialized (
            select c.conversation_id
              from contacts t
              join conversations c on c.user_id = v_user and c.contact_id = t.contact_id
             where t.user_id = v_user and app.contact_holds(t.norm, p_text)
        )
        (select * from said limit 10001)
         union all
        (select n.conversation_id, null, '-infinity' from named n limit 10001);
end $$;

-- Whether more than one in twenty messages hold a text: a few of each time are read.
create function app.search_is_frequent(p_text text) returns boolean
language plpgsql stable set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user  uuid := app.current_user_id();
    v_first timestamptz := (select min(m.sent_at) from messages m where m.user_id = v_user);
    v_last  timestamptz := (select max(m.sent_at) from messages m where m.user_id = v_user);
begin
    return (
        select count(*) filter (where app.holds(n.norm, p_text)) * 20 > count(*)
          from generate_series(0, 14) part
         cross join lateral (
               select m.norm from messages m
                where m.user_id = v_user and m.sent_at >= v_first + (v_last - v_first) * part / 15
                order by m.sent_at limit 20) n);
end $$;

-- The conversations that hold a rare text; null for any other.
create function app.search_rare(p_text text) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
    v_found uuid[];
begin
    if app.is_unindexed(p_text) or app.search_is_common(p_text, null, null) or app.search_is_frequent(p_text) then
        return null;
    end if;
    select array_agg(distinct h.conversation_id) into v_found
      from app.search_held(p_text) h having count(*) <= 10000;
    return case when found then coalesce(v_found, '{}') end;
end $$;

-- By latest activity, behind (p_at, p_id), until there are p_limit or p_patience is over: what follows is behind
-- (last_at, last_id), or they are null. Of each its newest message that holds the text, null where only the contact does.
create function app.search_walk(
    p_text text, p_at timestamptz, p_id uuid, p_limit integer, p_patience interval,
    out ids uuid[], out hits uuid[], out last_at timestamptz, out last_id uuid
)
language plpgsql stable set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user   uuid := app.current_user_id();
    v_until  timestamptz := clock_timestamp() + p_patience;
    v_began  timestamptz;
    v_steps  integer := 100;
    v_walked integer;
    v_step   record;
    v_ats    timestamptz[] := '{}';
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    ids := '{}';
    hits := '{}';
    last_at := coalesce(p_at, 'infinity');
    last_id := coalesce(p_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    loop
        v_began := clock_timestamp();
        select array_agg(w.id order by w.active_at desc, w.id desc) filter (where w.is_hit) as ids,
               array_agg(w.hit order by w.active_at desc, w.id desc) filter (where w.is_hit) as hits,
               array_agg(w.active_at order by w.active_at desc, w.id desc) filter (where w.is_hit) as ats,
               count(*) as walked,
               (array_agg(w.active_at order by w.active_at, w.id))[1] as last_at,
               (array_agg(w.id order by w.active_at, w.id))[1] as last_id
          into v_step
          from (select c.conversation_id as id, c.active_at, h.message_id as hit,
                       h.message_id is not null
                       or exists (select from contacts t
                                   where t.user_id = v_user and t.contact_id = c.contact_id
                                     and app.contact_holds(t.norm, p_text) offset 0) as is_hit
                  from conversations c
                  left join lateral ( -- one row at most: a plan that hashes every message that fits would read them all
                       select m.message_id from messages m
                        where m.user_id = v_user and m.conversation_id = c.conversation_id
                          and app.holds(m.norm, p_text)
                        order by m.sent_at desc, m.message_id desc limit 1) h on true
                 where c.user_id = v_user and (c.active_at, c.conversation_id) < (last_at, last_id)
                 order by c.active_at desc, c.conversation_id desc
                 limit v_steps) w;
        ids := ids || coalesce(v_step.ids, '{}');
        hits := hits || coalesce(v_step.hits, '{}');
        v_ats := v_ats || coalesce(v_step.ats, '{}');
        last_at := case when v_step.walked = v_steps then v_step.last_at end;
        last_id := case when v_step.walked = v_steps then v_step.last_id end;
        exit when last_id is null or cardinality(ids) > p_limit or clock_timestamp() >= v_until;
        if clock_timestamp() - v_began < p_patience / 4 then
            v_steps := v_steps * 2;
        end if;
    end loop;
    if cardinality(ids) > p_limit then
        last_at := v_ats[p_limit];
        last_id := ids[p_limit];
        ids := ids[:p_limit];
        hits := hits[:p_limit];
    end if;
end $$;

-- The same of any text: what is rare is found by the index.
create function app.search_found(
    p_text text, p_at timestamptz, p_id uuid, p_limit integer, p_patience interval,
    out ids uuid[], out hits uuid[], out last_at timestamptz, out last_id uuid
)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_is_rare boolean := not (app.is_unindexed(p_text) or app.search_is_common(p_text, p_at, p_id)
                              or app.search_is_frequent(p_text));
    v_ats     timestamptz[];
begin
    if v_is_rare then
        select array_agg(h.conversation_id), array_agg(h.message_id), array_agg(h.sent_at) into ids, hits, v_ats
          from app.search_held(p_text) h having count(*) <= 10000;
        v_is_rare := found;
    end if;
    if not v_is_rare then
        select * into ids, hits, last_at, last_id from app.search_walk(p_text, p_at, p_id, p_limit, p_patience);
        return;
    end if;
    select array_agg(f.conversation_id), array_agg(f.message_id), array_agg(f.active_at)
      into ids, hits, v_ats
      from (with newest as materialized (
                select distinct on (h.id) h.id, h.message_id
                  from unnest(ids, hits, v_ats) h (id, message_id, sent_at)
                 order by h.id, h.sent_at desc, h.message_id desc nulls last
            )
            select c.conversation_id, n.message_id, c.active_at
              from conversations c
              join newest n on n.id = c.conversation_id
             where c.user_id = v_user
               and (c.active_at, c.conversation_id)
                   < (coalesce(p_at, 'infinity'), coalesce(p_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
               and c.conversation_id = any (array(select n.id from newest n))
             order by c.active_at desc, c.conversation_id desc
             limit p_limit + 1) f;
    if cardinality(ids) > p_limit then
        last_at := v_ats[p_limit];
        last_id := ids[p_limit];
        ids := ids[:p_limit];
        hits := hits[:p_limit];
    end if;
end $$;

alter function app.search_rare(text) owner to alfred_search;

alter function app.search_found(text, timestamptz, uuid, integer, interval) owner to alfred_search;

revoke execute on function app.search_rare(text), app.search_found(text, timestamptz, uuid, integer, interval) from public;

grant execute on function app.search_rare(text), app.search_found(text, timestamptz, uuid, integer, interval) to alfred_app;

revoke create on schema app from alfred_search;

create or replace function app.found_items(
    p_text text, p_before_at timestamptz, p_before_id uuid, p_limit integer,
    out items text, out last_at timestamptz, out last_id uuid
)
language plpgsql stable
as $$
declare
    v_ids  uuid[];
    v_hits uuid[];
begin
    select f.ids, f.hits, f.last_at, f.last_id into v_ids, v_hits, last_at, last_id
      from app.search_found(p_text, p_before_at, p_before_id, p_limit, interval '200 ms') f;
    items := app.found_items_of(p_text, v_ids, v_hits);
end $$;

drop function app.search_hits(text, boolean, timestamptz, uuid, integer);
