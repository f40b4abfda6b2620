-- depends: 0042.waiting_inbound

-- What a person's screens remember of them, the same on every device; the API takes at most 4 KiB.
alter table users
    add column preferences jsonb not null default '{}',
    add constraint users_preferences check (jsonb_typeof(preferences) = 'object');

grant update (preferences) on users to alfred_app;

-- Where a search hits: each conversation's newest message that holds the text, and the words around it. It looks for
-- the tenant of the transaction only, as the search does.
create function app.excerpt(p_body text, p_norm text, p_needle text) returns text
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

create function app.search_matches(p_text text, p_conversations uuid[])
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

alter function app.search_matches(text, uuid[]) owner to alfred_search;

revoke create on schema app from alfred_search;
