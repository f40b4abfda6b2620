-- depends: 0068.last_failed

-- The usual page of the inbox as one text, written as the API shows it: to decode 27 columns of each row, and to write
-- them again, took half of a request. tests/sql/test_written_inbox.py holds the texts to Python's.

-- Values as JSON; all of these are taken into the statement that calls them.
create function app.json_of(p_text text) returns text
language sql stable parallel safe
as $$ select coalesce(to_json(p_text)::text, 'null') $$;

-- Of a closed set, so that nothing needs to be escaped.
create function app.json_word(p_word text) returns text
language sql immutable parallel safe
as $$ select coalesce('"' || p_word || '"', 'null') $$;

-- As pydantic writes it.
create function app.json_of(p_at timestamptz) returns text
language sql stable parallel safe
as $$
    select coalesce('"' || replace(to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '.000000Z', 'Z')
                        || '"', 'null')
$$;

create function app.send_policy_of(
    p_state text, p_kinds text, p_expires_at timestamptz, p_human_only boolean, p_enforced boolean, p_reason text,
    p_remedy text
) returns text
language sql stable parallel safe
as $$
    select '{"state":"' || p_state || '","kinds":' || p_kinds || ',"expires_at":' || app.json_of(p_expires_at)
           || ',"human_only":' || p_human_only || ',"template_required":' || (p_kinds = '["template"]')
           || ',"enforced":' || p_enforced || ',"reason":' || app.json_word(p_reason)
           || ',"remedy":' || app.json_word(p_remedy) || '}'
$$;

-- senders/policy.py, case by case.
create function app.send_policy(
    p_type text, p_provider text, p_active boolean, p_human_agent boolean, p_wrote_at timestamptz, p_opted_out boolean
) returns text
language sql stable parallel safe
as $$
    select case
        when not p_active then
            app.send_policy_of('closed', '[]', null, false, p_provider is not null, 'inactive', 'check_account')
        when p_type = 'email' or p_provider in ('evolution', 'waha', 'zapi', 'email') then
            app.send_policy_of('open', '["text","attachment"]', null, p_opted_out, p_provider is not null,
                               case when p_opted_out then 'opted_out' end, null)
        when p_wrote_at > now() - interval '24 hours' then
            app.send_policy_of('open', case when p_type = 'whatsapp' then '["text","attachment","template"]'
                                            else '["text","attachment"]' end,
                               least(p_wrote_at, now()) + interval '24 hours', p_opted_out, p_provider is not null,
                               case when p_opted_out then 'opted_out' end, null)
        when p_type <> 'whatsapp' and p_human_agent and p_wrote_at > now() - interval '7 days' then
            app.send_policy_of('open', '["text","attachment"]', p_wrote_at + interval '7 days', true,
                               p_provider is not null, case when p_opted_out then 'opted_out' end, null)
        else
            app.send_policy_of('closed', case when p_type = 'whatsapp' then '["template"]' else '[]' end, null,
                               p_opted_out, p_provider is not null,
                               case when p_opted_out then 'opted_out'
                                    when p_wrote_at is null then 'no_inbound'
                                    else 'window' end,
                               case when p_type = 'whatsapp' then 'use_template' else 'wait_for_customer' end)
    end
$$;

-- Contacts, channels and connections by their keys, whatever the tables held when the session planned it. What follows
-- is after last_at and last_id; where nothing does, they are null.
create function app.inbox_items(
    p_user uuid, p_before_at timestamptz, p_before_id uuid, p_limit integer,
    out items text, out last_at timestamptz, out last_id uuid
)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_bitmapscan = off set enable_sort = off
as $$
begin
    perform app.act_as(p_user);
    select '[' || coalesce(string_agg(item, ','), '') || ']', (array_agg(active_at))[p_limit], (array_agg(id))[p_limit]
      into items, last_at, last_id
      from (
        select c.active_at, c.conversation_id as id,
               '{"id":"' || c.conversation_id
               || '","contact":{"id":"' || c.contact_id || '","name":' || app.json_of(t.name)
               || ',"handle":' || app.json_of(c.handle) || ',"vip":' || t.vip
               || '},"channel":{"id":"' || c.channel_id || '","type":"' || h.type || '","name":' || app.json_of(h.name)
               || '},"status":"' || c.status || '","unread_count":' || c.unread_count
               || ',"sentiment":' || app.json_word(c.sentiment) || ',"urgency":' || app.json_word(c.urgency)
               || ',"negotiation":' || c.negotiation || ',"snippet":' || app.json_of(c.snippet)
               || ',"last_message_at":' || app.json_of(c.last_message_at)
               || ',"last_message_direction":' || app.json_word(c.last_message_direction)
               || ',"last_message_failed":' || coalesce(c.failed_message_id = c.last_message_id, false)
               || ',"waiting_since":' || app.json_of(c.waiting_since)
               || ',"tags":' || case when c.tags = '{}' then '[]' else to_json(c.tags)::text end
               || ',"snoozed_until":' || app.json_of(c.snoozed_until)
               || ',"send_policy":' || app.send_policy(h.type, k.provider, h.active,
                                                       (k.options -> 'human_agent') = 'true', c.last_inbound_at,
                                                       t.opted_out_at is not null)
               || ',"created_at":' || app.json_of(c.created_at) || ',"updated_at":' || app.json_of(c.updated_at)
               || '}' as item
          from conversations c
         cross join lateral (
               select t.name, t.vip, t.opted_out_at from contacts t
                where t.user_id = c.user_id and t.contact_id = c.contact_id offset 0) t
         cross join lateral (
               select h.type, h.name, h.active from channels h
                where h.user_id = c.user_id and h.channel_id = c.channel_id offset 0) h
          left join lateral (
               select k.provider, k.options from connections k
                where k.user_id = c.user_id and k.channel_id = c.channel_id offset 0) k on true
         where c.user_id = p_user
           and (c.active_at, c.conversation_id)
               < (coalesce(p_before_at, 'infinity'), coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
         order by c.active_at desc, c.conversation_id desc
         limit p_limit
      ) page;
    if not exists (select from conversations c
                    where c.user_id = p_user and (c.active_at, c.conversation_id) < (last_at, last_id)) then
        last_at := null;
        last_id := null;
    end if;
end $$;
