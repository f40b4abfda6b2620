grant create on schema app to alfred_search;

create or replace function app.search_conversations(p_text text) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_pattern text := app.like_pattern(p_text);
    v_digits  text := app.digits_pattern(p_text);
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    elsif length(v_pattern) < 5 then -- under three letters the index knows nothing: walk the conversations
        return query
            select c.conversation_id from conversations c
             where c.user_id = v_user
               and (exists (select from contacts t
                             where t.user_id = v_user and t.contact_id = c.contact_id and t.norm like v_pattern)
                    or exists (select from messages m
                                where m.user_id = v_user and m.conversation_id = c.conversation_id and m.norm like v_pattern));
    else
        return query
            select m.conversation_id from messages m where m.user_id = v_user and m.norm like v_pattern
            union
            select c.conversation_id from contacts t join conversations c on c.user_id = v_user and c.contact_id = t.contact_id
             where t.user_id = v_user and (t.norm like v_pattern or t.norm like v_digits);
    end if;
end $$;

create or replace function app.search_matches(p_text text, p_conversations uuid[])
returns table (conversation_id uuid, message_id uuid, excerpt text)
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_pattern text := app.like_pattern(p_text);
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    return query
        select w.id, m.message_id, app.excerpt(m.body, m.norm, app.norm(p_text))
          from unnest(p_conversations) w (id)
         cross join lateral (
            select i.message_id, i.body, i.norm from messages i
             where i.user_id = v_user and i.conversation_id = w.id and i.norm like v_pattern
             order by i.sent_at desc, i.message_id desc
             limit 1) m;
end $$;

create or replace function app.search_page(p_text text, p_at timestamptz, p_id uuid, p_limit integer) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_pattern text := app.like_pattern(p_text);
    v_at      timestamptz := coalesce(p_at, 'infinity');
    v_id      uuid := coalesce(p_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
    v_steps   integer := 100;
    v_left    integer := p_limit;
    v_walked  integer;
    v_common  boolean;
    v_hits    uuid[];
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    select count(*) filter (where exists (
               select from (select m.norm from messages m
                             where m.user_id = v_user and m.conversation_id = s.conversation_id
                             order by m.sent_at desc, m.message_id desc limit 20) n
                where n.norm like v_pattern)) > 3
      into v_common
      from (select c.conversation_id from conversations c
             where c.user_id = v_user and (c.active_at, c.conversation_id) < (v_at, v_id)
             order by c.active_at desc, c.conversation_id desc limit 100) s;
    if not v_common then
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
                                    and m.norm like v_pattern limit 1),
                                (select true from contacts t
                                  where t.user_id = v_user and t.contact_id = c.contact_id
                                    and t.norm like v_pattern limit 1), false) as hit
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

drop function app.search_is_common(text, timestamptz, uuid);

revoke create on schema app from alfred_search;

drop function app.holds(text, text);

drop function app.further_pattern(text, text);

drop function app.first_pattern(text);

drop function app.is_short_word(text);
