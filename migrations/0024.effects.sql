-- depends: 0023.bus

-- What consumers do for a whole batch, which holds events of several tenants: the bus's role reads and writes for them,
-- every join naming the tenant.
create policy users_bus on users for select to alfred_bus using (true);

create policy contacts_bus on contacts for select to alfred_bus using (true);

create policy channels_bus on channels for select to alfred_bus using (true);

create policy conversations_bus on conversations for select to alfred_bus using (true);

create policy messages_bus on messages for select to alfred_bus using (true);

create policy notifications_announce on notifications for insert to alfred_bus with check (true);

grant select (user_id, locale, timezone) on users to alfred_bus;

grant select (user_id, contact_id, name, handle, vip, negotiation_enabled, negotiation_mode) on contacts to alfred_bus;

grant select (user_id, channel_id, type) on channels to alfred_bus;

grant select (user_id, conversation_id, contact_id, channel_id, status, tags, unread_count, snippet)
    on conversations to alfred_bus;

grant select (user_id, message_id, conversation_id, direction, body, attachments, classification, sent_at, deleted_at)
    on messages to alfred_bus;

grant select (compiled, created_at, rule_id) on rules to alfred_bus;

grant insert on notifications, ai_events to alfred_bus;

grant usage on sequence notifications_number, ai_events_number to alfred_bus;

grant create on schema app to alfred_bus;

-- Everything that conditions may ask of some events' messages (else the customer's last), contacts and conversations;
-- a row for each event, in their order.
create function app.bus_situations(p_users uuid[], p_conversations uuid[], p_messages uuid[], p_contacts uuid[])
returns table (
    timezone text, locale text, text text, classification jsonb, sent_at timestamptz, direction text, channel text,
    contact_id uuid, contact_name text, contact_handle text, vip boolean, negotiation_mode text,
    conversation_id uuid, status text, tags text[], unread_count integer
)
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
    return query
        select u.timezone, u.locale,
               coalesce(m.body, ''), m.classification, m.sent_at, m.direction,
               h.type,
               c.contact_id, c.name, c.handle, coalesce(c.vip, false),
               case when coalesce(c.negotiation_enabled, true) then coalesce(c.negotiation_mode, 'suggest') else 'off' end,
               v.conversation_id, coalesce(v.status, 'open'), coalesce(v.tags, '{}'), coalesce(v.unread_count, 0)
          from unnest(p_users, p_conversations, p_messages, p_contacts) with ordinality
               as e (user_id, conversation_id, message_id, contact_id, at)
          left join users u on u.user_id = e.user_id
          left join conversations v on v.user_id = e.user_id and v.conversation_id = e.conversation_id
          left join messages m on m.user_id = e.user_id and m.message_id = coalesce(e.message_id, (
               select i.message_id from messages i
                where i.user_id = e.user_id and i.conversation_id = v.conversation_id and i.direction = 'inbound'
                  and i.deleted_at is null
                order by i.sent_at desc, i.message_id desc
                limit 1))
          left join channels h on h.user_id = e.user_id and h.channel_id = v.channel_id
          left join contacts c on c.user_id = e.user_id and c.contact_id = coalesce(v.contact_id, e.contact_id)
         order by e.at;
end $$;

-- The enabled rules of some tenants, of each at most p_most.
create function app.bus_rules(p_users uuid[], p_most integer)
returns table (user_id uuid, trigger text, compiled text)
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
    return query
        select r.user_id, r.compiled ->> 'trigger', r.compiled::text
          from unnest(p_users) u cross join lateral (
            select r.user_id, r.compiled from rules r where r.user_id = u and r.enabled
             order by r.created_at desc, r.rule_id desc limit p_most) r;
end $$;

-- Of these users, those for whom a consumer has something to do; kept plans, unlike a function of language sql.
create or replace function app.users_with_rules(p_users uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
    return query select u from unnest(p_users) u where exists (select from rules r where r.user_id = u and r.enabled);
end $$;

create or replace function app.users_with_flows(p_users uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
    return query select u from unnest(p_users) u where exists (select from flows f where f.user_id = u and f.enabled);
end $$;

-- Whom and what some events' notifications speak of; a row for each event, in their order.
create function app.bus_subjects(p_users uuid[], p_conversations uuid[], p_messages uuid[])
returns table (locale text, contact_id uuid, contact_name text, snippet text)
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
    return query
        select u.locale, c.contact_id, coalesce(c.name, c.handle),
               case when m.message_id is null then v.snippet else app.snippet(m.body, m.attachments) end
          from unnest(p_users, p_conversations, p_messages) with ordinality
               as e (user_id, conversation_id, message_id, at)
          left join users u on u.user_id = e.user_id
          left join conversations v on v.user_id = e.user_id and v.conversation_id = e.conversation_id
          left join contacts c on c.user_id = e.user_id and c.contact_id = v.contact_id
          left join messages m on m.user_id = e.user_id and m.message_id = e.message_id
         order by e.at;
end $$;

-- Writes notifications and their events, each once for its dedupe_key; how many. The tenant or the contact of one may
-- be gone: then it is passed over.
create function app.bus_announce(p_notifications jsonb) returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
    v_count bigint;
begin
    with made as (
        insert into notifications (user_id, type, dedupe_key, title, body, contact_id, conversation_id, message_id,
                                   task_id, rule_id)
        select n.user_id, n.type, n.dedupe_key, n.title, n.body, n.contact_id, n.conversation_id, n.message_id,
               n.task_id, n.rule_id
          from jsonb_to_recordset(p_notifications) as n (
                user_id uuid, type text, dedupe_key text, title text, body text, contact_id uuid,
                conversation_id uuid, message_id uuid, task_id uuid, rule_id uuid)
         where exists (select from users u where u.user_id = n.user_id)
           and (n.contact_id is null
                or exists (select from contacts c where c.user_id = n.user_id and c.contact_id = n.contact_id))
            on conflict (user_id, dedupe_key) do nothing
        returning user_id, notification_id, type, contact_id, conversation_id, message_id, task_id
    )
    insert into ai_events (user_id, type, contact_id, conversation_id, message_id, task_id, payload)
    select m.user_id, 'notification.created', m.contact_id, m.conversation_id, m.message_id, m.task_id,
           jsonb_build_object('notification_id', m.notification_id, 'type', m.type)
      from made m;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

alter function app.bus_situations(uuid[], uuid[], uuid[], uuid[]) owner to alfred_bus;

alter function app.bus_rules(uuid[], integer) owner to alfred_bus;

alter function app.bus_subjects(uuid[], uuid[], uuid[]) owner to alfred_bus;

alter function app.bus_announce(jsonb) owner to alfred_bus;

revoke execute on function app.bus_situations(uuid[], uuid[], uuid[], uuid[]) from public;

revoke execute on function app.bus_rules(uuid[], integer) from public;

revoke execute on function app.bus_subjects(uuid[], uuid[], uuid[]) from public;

revoke execute on function app.bus_announce(jsonb) from public;

grant execute on function app.bus_situations(uuid[], uuid[], uuid[], uuid[]) to alfred_app;

grant execute on function app.bus_rules(uuid[], integer) to alfred_app;

grant execute on function app.bus_subjects(uuid[], uuid[], uuid[]) to alfred_app;

grant execute on function app.bus_announce(jsonb) to alfred_app;

revoke create on schema app from alfred_bus;
