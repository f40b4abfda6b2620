drop index conversations_positive;

drop index conversations_medium;

drop function app.inbox_items_of(uuid[]);

create or replace function app.inbox_items(
    p_user uuid, p_before_at timestamptz, p_before_id uuid, p_limit integer,
    out items text, out last_at timestamptz, out last_id uuid
)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_bitmapscan = off set enable_sort = off
as $$
declare
    v_at constant timestamptz := coalesce(p_before_at, 'infinity');
    v_id constant uuid := coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
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
           and (c.active_at, c.conversation_id) < (v_at, v_id)
         order by c.active_at desc, c.conversation_id desc
         limit p_limit
      ) page;
    if not exists (select from conversations c
                    where c.user_id = p_user and (c.active_at, c.conversation_id) < (last_at, last_id)) then
        last_at := null;
        last_id := null;
    end if;
end $$;

drop view app.inbox;
