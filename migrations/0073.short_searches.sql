-- depends: 0072.key_order

-- The index knows nothing of two letters within a word: to find them took a second in a million messages. One or two
-- letters are looked for where words begin, which it knows; more of them, and signs, anywhere.
create function app.is_short_word(p_text text) returns boolean
language sql immutable strict parallel safe
as $$ select app.norm(p_text) ~ '^[[:alnum:]]{1,2}$' $$;

create function app.first_pattern(p_text text) returns text
language sql immutable strict parallel safe
as $$
    select case when app.is_short_word(p_text) then substr(app.like_pattern(p_text), 2) else app.like_pattern(p_text) end
$$;

create function app.further_pattern(p_text text, p_before text) returns text
language sql immutable strict parallel safe
as $$ select case when app.is_short_word(p_text) then '%' || p_before || substr(app.like_pattern(p_text), 2) end $$;

-- Taken into the statement that calls it, with the patterns as constants: the index is asked for each.
create function app.holds(p_norm text, p_text text) returns boolean
language sql immutable parallel safe
as $$
    select p_norm like app.first_pattern(p_text)
        or p_norm like app.further_pattern(p_text, ' ')
        or p_norm like app.further_pattern(p_text, e'\n')
$$;

grant create on schema app to alfred_search;

-- Whether at least one in thirty of the next hundred conversations fits.
create function app.search_is_common(p_text text, p_at timestamptz, p_id uuid) returns boolean
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
        select count(*) filter (where exists (
               select from (select m.norm from messages m
                             where m.user_id = v_user and m.conversation_id = s.conversation_id
                             order by m.sent_at desc, m.message_id desc limit 20) n
                where app.holds(n.norm, p_text))) > 3
      from (select c.conversation_id from conversations c
             where c.user_id = v_user and (c.active_at, c.conversation_id) < (v_at, v_id)
             order by c.active_at desc, c.conversation_id desc limit 100) s);
end $$;

alter function app.search_is_common(text, timestamptz, uuid) owner to alfred_search;

revoke execute on function app.search_is_common(text, timestamptz, uuid) from public;

grant execute on function app.search_is_common(text, timestamptz, uuid) to alfred_app;

create or replace function app.search_conversations(p_text text) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_digits  text := app.digits_pattern(p_text);
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    elsif length(app.norm(p_text)) < 3 and not app.is_short_word(p_text) then -- signs: the index knows none
        return query
            select c.conversation_id from conversations c
             where c.user_id = v_user
               and (exists (select from contacts t
                             where t.user_id = v_user and t.contact_id = c.contact_id and app.holds(t.norm, p_text))
                    or exists (select from messages m
                                where m.user_id = v_user and m.conversation_id = c.conversation_id
                                  and app.holds(m.norm, p_text)));
        return;
    end if;
    return query
        select m.conversation_id from messages m where m.user_id = v_user and app.holds(m.norm, p_text)
        union
        select c.conversation_id from contacts t join conversations c on c.user_id = v_user and c.contact_id = t.contact_id
         where t.user_id = v_user and (app.holds(t.norm, p_text) or t.norm like v_digits);
end $$;

create or replace function app.search_matches(p_text text, p_conversations uuid[])
returns table (conversation_id uuid, message_id uuid, excerpt text)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    return query
        select w.id, m.message_id, app.excerpt(m.body, m.norm, app.norm(p_text))
          from unnest(p_conversations) w (id)
         cross join lateral (
            select i.message_id, i.body, i.norm from messages i
             where i.user_id = v_user and i.conversation_id = w.id and app.holds(i.norm, p_text)
             order by i.sent_at desc, i.message_id desc
             limit 1) m;
end $$;

create or replace function app.search_page(p_text text, p_at timestamptz, p_id uuid, p_limit integer) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_at      timestamptz := coalesce(p_at, 'infinity');
    v_id      uuid := coalesce(p_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    v_steps   integer := 100;
    v_left    integer := p_limit;
    v_walked  integer;
    v_hits    uuid[];
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    if not app.search_is_common(p_text, v_at, v_id) then
        return query
            select c.conversation_id from conversations c
             where c.user_id = v_user and (c.active_at, c.conversation_id) < (v_at, v_id)
               and c.conversation_id = any (array(select app.search_conversations(p_text)))
             order by c.active_at desc, c.conversation_id desc
             limit p_limit;
        return;
    end if;
    loop
        select array_agg(w.conversation_id order by w.active_at desc, w.conversation_id desc) filter (where w.hit),
               count(*),
               (array_agg(w.active_at order by w.active_at, w.conversation_id))[1],
               (array_agg(w.conversation_id order by w.active_at, w.conversation_id))[1]
          into v_hits, v_walked, v_at, v_id
          from (select c.conversation_id, c.active_at,
                       -- one row at most: a plan that hashes every message that fits would read them all
                       coalesce((select true from messages m
                                  where m.user_id = v_user and m.conversation_id = c.conversation_id
                                    and app.holds(m.norm, p_text) limit 1),
                                (select true from contacts t
                                  where t.user_id = v_user and t.contact_id = c.contact_id
                                    and app.holds(t.norm, p_text) limit 1), false) as hit
                  from conversations c
                 where c.user_id = v_user and (c.active_at, c.conversation_id) < (v_at, v_id)
                 order by c.active_at desc, c.conversation_id desc
                 limit v_steps) w;
        return query select unnest(v_hits[:v_left]);
        v_left := v_left - coalesce(cardinality(v_hits), 0);
        exit when v_left <= 0 or v_walked < v_steps;
        v_steps := least(v_steps * 2, 5000);
    end loop;
end $$;

revoke create on schema app from alfred_search;
