drop function app.renew_password_hash(uuid, text, text);

create or replace function app.search_conversations(p_text text) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_pattern text := app.like_pattern(p_text);
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
             where t.user_id = v_user and t.norm like v_pattern;
    end if;
end $$;

create or replace function app.search_contacts(p_text text) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
    v_user    uuid := app.current_user_id();
    v_pattern text := app.like_pattern(p_text);
begin
    if v_user is null then
        raise insufficient_privilege using message = 'a search needs a tenant';
    end if;
    return query select t.contact_id from contacts t where t.user_id = v_user and t.norm like v_pattern;
end $$;

drop function app.digits_pattern(text);
