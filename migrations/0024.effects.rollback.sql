drop function app.bus_announce(jsonb);

drop function app.bus_subjects(uuid[], uuid[], uuid[]);

create or replace function app.users_with_flows(p_users uuid[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp
as $$
    select u from unnest(p_users) u where exists (select from flows f where f.user_id = u and f.enabled)
$$;

create or replace function app.users_with_rules(p_users uuid[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp
as $$
    select u from unnest(p_users) u where exists (select from rules r where r.user_id = u and r.enabled)
$$;

drop function app.bus_rules(uuid[], integer);

drop function app.bus_situations(uuid[], uuid[], uuid[], uuid[]);

revoke usage on sequence notifications_number, ai_events_number from alfred_bus;

revoke insert on notifications, ai_events from alfred_bus;

revoke select (compiled, created_at, rule_id) on rules from alfred_bus;

revoke select (user_id, message_id, conversation_id, direction, body, attachments, classification, sent_at, deleted_at)
    on messages from alfred_bus;

revoke select (user_id, conversation_id, contact_id, channel_id, status, tags, unread_count, snippet)
    on conversations from alfred_bus;

revoke select (user_id, channel_id, type) on channels from alfred_bus;

revoke select (user_id, contact_id, name, handle, vip, negotiation_enabled, negotiation_mode) on contacts from alfred_bus;

revoke select (user_id, locale, timezone) on users from alfred_bus;

drop policy notifications_announce on notifications;

drop policy messages_bus on messages;

drop policy conversations_bus on conversations;

drop policy channels_bus on channels;

drop policy contacts_bus on contacts;

drop policy users_bus on users;
