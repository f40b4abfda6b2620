-- depends: 0019.intake

-- A number is found however it is written: where a search has only digits and signs, the signs do not count.
create function app.digits_pattern(p_text text) returns text
language sql immutable strict parallel safe
as $$
    select case when p_text ~ '^[-+() ./0-9]*$' and length(regexp_replace(p_text, '\D', '', 'g')) >= 3
                then '%' || regexp_replace(p_text, '\D', '', 'g') || '%' end
$$;

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

create or replace function app.search_contacts(p_text text) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_pattern text := app.like_pattern(p_text);
    v_digits  text := app.digits_pattern(p_text);
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    return query
        select t.contact_id from contacts t
         where t.user_id = v_user and (t.norm like v_pattern or t.norm like v_digits);
end $$;

-- A password whose hash was made of its letters as they came gets one of their normal form; sessions go on.
create function app.renew_password_hash(p_user uuid, p_old text, p_new text) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$ update logins set password_hash = p_new where user_id = p_user and password_hash = p_old $$;

grant create on schema app to alfred_auth;

alter function app.renew_password_hash(uuid, text, text) owner to alfred_auth;

revoke create on schema app from alfred_auth;

-- What is kept of a payload never holds the headers that n8n wrapped around it: tokens may stand there.
alter table rejected_webhooks no force row level security;

create function pg_temp.unwrapped(p_value jsonb, p_depth integer) returns jsonb
language plpgsql immutable
as $$
begin
    if p_depth > 10 then
        return p_value;
    elsif jsonb_typeof(p_value) = 'array' then
        return (select coalesce(jsonb_agg(pg_temp.unwrapped(e, p_depth + 1) order by n), '[]')
                  from jsonb_array_elements(p_value) with ordinality as t (e, n));
    elsif jsonb_typeof(p_value) = 'object' and p_value ? 'headers' and p_value ? 'body' then
        return pg_temp.unwrapped(p_value -> 'body', p_depth + 1);
    elsif jsonb_typeof(p_value -> 'json') = 'object' then
        return pg_temp.unwrapped(p_value -> 'json', p_depth + 1);
    end if;
    return p_value;
end $$;

create function pg_temp.without_headers(p_body bytea) returns bytea
language plpgsql stable
as $$
declare
    v_text text;
    v_kept jsonb;
begin
    v_text := convert_from(p_body, 'UTF8');
    begin
        v_kept := pg_temp.unwrapped(v_text::jsonb, 0);
        if v_kept = v_text::jsonb then
            return p_body;
        end if;
        return convert_to(case jsonb_typeof(v_kept) when 'string' then v_kept #>> '{}' else v_kept::text end, 'UTF8');
    exception when others then -- no JSON that PostgreSQL takes: what looks like headers goes
        return convert_to(regexp_replace(v_text, '"headers"\s*:\s*\{[^{}]*\}', '"headers": {}', 'gi'), 'UTF8');
    end;
exception when character_not_in_repertoire or untranslatable_character then
    return p_body;
end $$;

update rejected_webhooks set body = pg_temp.without_headers(body)
 where position('"headers"'::bytea in body) > 0;

alter table rejected_webhooks force row level security;

drop function pg_temp.without_headers(bytea);

drop function pg_temp.unwrapped(jsonb, integer);
