grant create on schema app to alfred_search;

-- One page of a search by latest activity: (p_at, p_id) is the last row of the page before. Of each conversation its
-- newest message that holds the text, null where only the contact does. What is common is found by walking the inbox
-- until the page is full, what is not by the index of words.
create function app.search_hits(p_text text, p_is_common boolean, p_at timestamptz, p_id uuid, p_limit integer)
returns table (conversation_id uuid, message_id uuid)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user   uuid := app.current_user_id();
    v_digits text := app.digits_pattern(p_text);
    v_at     timestamptz := coalesce(p_at, 'infinity');
    v_id     uuid := coalesce(p_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    v_steps  integer := 100;
    v_left   integer := p_limit;
    v_walked integer;
    v_hits   uuid[];
    v_of     uuid[];
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    if not p_is_common and not app.is_unindexed(p_text) then
        return query
            with held as (
                select m.conversation_id, m.message_id, m.sent_at
                  from messages m where m.user_id = v_user and app.holds(m.norm, p_text)
                 union all
                select c.conversation_id, null, '-infinity'
                  from contacts t
                  join conversations c on c.user_id = v_user and c.contact_id = t.contact_id
                 where t.user_id = v_user and (app.holds(t.norm, p_text) or t.norm like v_digits)
            ), newest as materialized (
                select distinct on (h.conversation_id) h.conversation_id, h.message_id from held h
                 order by h.conversation_id, h.sent_at desc, h.message_id desc nulls last
            )
            select c.conversation_id, n.message_id
              from conversations c
              join newest n using (conversation_id)
             where c.user_id = v_user and (c.active_at, c.conversation_id) < (v_at, v_id)
               and c.conversation_id = any (array(select n.conversation_id from newest n))
             order by c.active_at desc, c.conversation_id desc
             limit p_limit;
        return;
    end if;
    loop
        select array_agg(w.id order by w.active_at desc, w.id desc) filter (where w.is_hit),
               array_agg(w.hit order by w.active_at desc, w.id desc) filter (where w.is_hit),
               count(*), (array_agg(w.active_at order by w.active_at, w.id))[1], (array_agg(w.id order by w.active_at, w.id))[1]
          into v_of, v_hits, v_walked, v_at, v_id
          from (select c.conversation_id as id, c.active_at, h.message_id as hit,
                       h.message_id is not null
                       or exists (select from contacts t
                                   where t.user_id = v_user and t.contact_id = c.contact_id
                                     and app.holds(t.norm, p_text) offset 0) as is_hit
                  from conversations c
                  left join lateral ( -- one row at most: a plan that hashes every message that fits would read them all
                       select m.message_id from messages m
                        where m.user_id = v_user and m.conversation_id = c.conversation_id
                          and app.holds(m.norm, p_text)
                        order by m.sent_at desc, m.message_id desc limit 1) h on true
                 where c.user_id = v_user and (c.active_at, c.conversation_id) < (v_at, v_id)
                 order by c.active_at desc, c.conversation_id desc
                 limit v_steps) w;
        return query select * from unnest(v_of[:v_left], v_hits[:v_left]);
        v_left := v_left - coalesce(cardinality(v_of), 0);
        exit when v_left <= 0 or v_walked < v_steps;
        v_steps := least(v_steps * 2, 5000);
    end loop;
end $$;

alter function app.search_hits(text, boolean, timestamptz, uuid, integer) owner to alfred_search;

revoke execute on function app.search_hits(text, boolean, timestamptz, uuid, integer) from public;

grant execute on function app.search_hits(text, boolean, timestamptz, uuid, integer) to alfred_app;

revoke create on schema app from alfred_search;

-- A page of a search without filters, by latest activity. What follows is after last_at and last_id; where nothing does,
-- they are null.
create or replace function app.found_items(
    p_text text, p_before_at timestamptz, p_before_id uuid, p_limit integer,
    out items text, out last_at timestamptz, out last_id uuid
)
language plpgsql stable
as $$
declare
    v_user      constant uuid := app.current_user_id();
    v_is_common constant boolean := app.search_is_common(p_text, p_before_at, p_before_id);
    v_ids       uuid[];
    v_hits      uuid[];
begin
    select array_agg(h.conversation_id order by n), array_agg(h.message_id order by n)
      into v_ids, v_hits
      from app.search_hits(p_text, v_is_common, p_before_at, p_before_id, p_limit + 1)
           with ordinality h (conversation_id, message_id, n);
    if cardinality(v_ids) > p_limit then
        select c.active_at, c.conversation_id into last_at, last_id
          from conversations c where c.user_id = v_user and c.conversation_id = v_ids[p_limit];
    end if;
    items := app.found_items_of(p_text, v_ids[:p_limit], v_hits[:p_limit]);
end $$;

drop function app.search_found(text, timestamptz, uuid, integer, interval),
    app.search_walk(text, timestamptz, uuid, integer, interval), app.search_rare(text),
    app.search_is_frequent(text), app.search_held(text), app.contact_holds(text, text);
