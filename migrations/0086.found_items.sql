-- depends: 0085.event_order

-- A page of a search is found and written by one statement. Whether the text is common is asked once, and says how it is
-- looked for: a common one in the conversations of the page, any other in the index, which knows every message that
-- holds it, however long the threads are.

-- One or two letters at the beginning of a word: one look into the index, where each of three patterns took one.
create function app.word_pattern(p_text text) returns text
language sql immutable strict parallel safe
as $$ select case when app.is_short_word(p_text) then '(^|[ \n])' || app.norm(p_text) end $$;

create function app.text_pattern(p_text text) returns text
language sql immutable strict parallel safe
as $$ select case when not app.is_short_word(p_text) then app.like_pattern(p_text) end $$;

-- Taken into the statement that calls it, with the patterns as constants: the index is asked for the one that is there.
create or replace function app.holds(p_norm text, p_text text) returns boolean
language sql immutable parallel safe
as $$ select p_norm like app.text_pattern(p_text) or p_norm ~ app.word_pattern(p_text) $$;

drop function app.first_pattern(text), app.further_pattern(text, text);

-- Taken into the statement too. An accent or a ligature may make the plain text longer than what was written.
create or replace function app.excerpt(p_body text, p_norm text, p_needle text) returns text
language sql immutable parallel safe
as $$
    select case when position(p_needle in p_norm) > 41 then '…' else '' end
           || regexp_replace(btrim(
                case when position(p_needle in app.norm(
                             substr(p_body, greatest(position(p_needle in p_norm) - 40, 1), 140))) > 0
                     then substr(p_body, greatest(position(p_needle in p_norm) - 40, 1), 140)
                     else substr(p_norm, greatest(position(p_needle in p_norm) - 40, 1), 140) end), '\s+', ' ', 'g')
           || case when length(p_body) > greatest(position(p_needle in p_norm) - 40, 1) + 139 then '…' else '' end
$$;

grant create on schema app to alfred_search;

-- Whether at least one in thirty of the next hundred conversations fits.
create or replace function app.search_is_common(p_text text, p_at timestamptz, p_id uuid) returns boolean
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user uuid := app.current_user_id();
    v_at   timestamptz := coalesce(p_at, 'infinity');
    v_id   uuid := coalesce(p_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    return (
        select count(*) > 3
          from (select from (select c.conversation_id from conversations c
                              where c.user_id = v_user and (c.active_at, c.conversation_id) < (v_at, v_id)
                              order by c.active_at desc, c.conversation_id desc limit 100) s
                 where exists (
                       select from (select m.norm from messages m
                                     where m.user_id = v_user and m.conversation_id = s.conversation_id
                                     order by m.sent_at desc, m.message_id desc limit 20) n
                        where app.holds(n.norm, p_text))
                 limit 4) f);
end $$;

-- What the index of words knows nothing of: signs alone, and one letter beside a sign.
create function app.is_unindexed(p_text text) returns boolean
language sql immutable strict parallel safe
as $$
    select app.norm(p_text) !~ '[[:alnum:]]' or length(app.norm(p_text)) < 3 and not app.is_short_word(p_text)
$$;

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

-- Of each of these conversations its newest message that holds the text, in their order; null where none does.
create function app.search_hits_of(p_text text, p_is_common boolean, p_conversations uuid[]) returns uuid[]
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user uuid := app.current_user_id();
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    elsif p_is_common or app.is_unindexed(p_text) then
        return array(
            select (select m.message_id from messages m
                     where m.user_id = v_user and m.conversation_id = w.id and app.holds(m.norm, p_text)
                     order by m.sent_at desc, m.message_id desc limit 1)
              from unnest(p_conversations) with ordinality w (id, n) order by w.n);
    end if;
    return (
        with held as materialized ( -- by the index of words, not by that of each thread
            select m.conversation_id, m.message_id, m.sent_at
              from messages m where m.user_id = v_user and app.holds(m.norm, p_text)
        ), newest as (
            select distinct on (h.conversation_id) h.conversation_id, h.message_id from held h
             where h.conversation_id = any (p_conversations)
             order by h.conversation_id, h.sent_at desc, h.message_id desc
        )
        select array_agg(n.message_id order by w.n)
          from unnest(p_conversations) with ordinality w (id, n)
          left join newest n on n.conversation_id = w.id);
end $$;

alter function app.search_hits(text, boolean, timestamptz, uuid, integer) owner to alfred_search;

alter function app.search_hits_of(text, boolean, uuid[]) owner to alfred_search;

revoke execute on function app.search_hits(text, boolean, timestamptz, uuid, integer),
    app.search_hits_of(text, boolean, uuid[]) from public;

grant execute on function app.search_hits(text, boolean, timestamptz, uuid, integer),
    app.search_hits_of(text, boolean, uuid[]) to alfred_app;

revoke create on schema app from alfred_search;

-- Conversations of the transaction's tenant that a search has found, as JSON and in the order of these ids: each with
-- the message that holds the text, and the words around it.
create function app.found_items_of(p_text text, p_ids uuid[], p_message_ids uuid[]) returns text
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_bitmapscan = off set jit = off
as $$
declare
    v_user   constant uuid := app.current_user_id();
    v_needle constant text := app.norm(p_text);
begin
    return (
        select '[' || coalesce(string_agg(left(i.item, -1) || ',"match":' || coalesce(m.match, 'null') || '}', ','
                                          order by asked.n), '') || ']'
          from unnest(p_ids, p_message_ids) with ordinality as asked (id, message_id, n)
         cross join lateral (
               select i.item from app.inbox i where i.user_id = v_user and i.id = asked.id offset 0) i
          left join lateral (
               select '{"message_id":"' || m.message_id || '","excerpt":'
                      || app.json_of(app.excerpt(m.body, m.norm, v_needle)) || '}' as match
                 from messages m where m.user_id = v_user and m.message_id = asked.message_id offset 0) m on true
    );
end $$;

-- A page of a search without filters, by latest activity. What follows is after last_at and last_id; where nothing does,
-- they are null.
create function app.found_items(
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
