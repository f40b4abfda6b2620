drop function app.found_items(text, timestamptz, uuid, integer), app.found_items_of(text, uuid[], uuid[]),
    app.search_hits(text, boolean, timestamptz, uuid, integer), app.search_hits_of(text, boolean, uuid[]),
    app.is_unindexed(text);

create function app.first_pattern(p_text text) returns text
language sql immutable strict parallel safe
as $$
    select case when app.is_short_word(p_text) then substr(app.like_pattern(p_text), 2) else app.like_pattern(p_text) end
$$;

create function app.further_pattern(p_text text, p_before text) returns text
language sql immutable strict parallel safe
as $$ select case when app.is_short_word(p_text) then '%' || p_before || substr(app.like_pattern(p_text), 2) end $$;

create or replace function app.holds(p_norm text, p_text text) returns boolean
language sql immutable parallel safe
as $$
    select p_norm like app.first_pattern(p_text)
        or p_norm like app.further_pattern(p_text, ' ')
        or p_norm like app.further_pattern(p_text, e'\n')
$$;

drop function app.word_pattern(text), app.text_pattern(text);

create or replace function app.excerpt(p_body text, p_norm text, p_needle text) returns text
language sql immutable parallel safe
as $$
    with hit as (
        select greatest(position(p_needle in p_norm) - 40, 1) as begins
    ), words as (
        select begins, substr(p_body, begins, 140) as text from hit
    )
    select concat(
        case when begins > 1 then '…' end,
        -- An accent or a ligature may make the plain text longer than what was written.
        regexp_replace(btrim(case when position(p_needle in app.norm(text)) > 0 then text
                                  else substr(p_norm, begins, 140) end), '\s+', ' ', 'g'),
        case when length(p_body) > begins + 139 then '…' end)
      from words
$$;

grant create on schema app to alfred_search;

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
        select count(*) filter (where exists (
               select from (select m.norm from messages m
                             where m.user_id = v_user and m.conversation_id = s.conversation_id
                             order by m.sent_at desc, m.message_id desc limit 20) n
                where app.holds(n.norm, p_text))) > 3
      from (select c.conversation_id from conversations c
             where c.user_id = v_user and (c.active_at, c.conversation_id) < (v_at, v_id)
             order by c.active_at desc, c.conversation_id desc limit 100) s);
end $$;

revoke create on schema app from alfred_search;
