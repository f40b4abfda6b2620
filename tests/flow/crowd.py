"""Tenants with rows of each kind that is done a batch at a time."""

COUNT = 7
# Of 7 users one row each, and of one of them 7: batches end within a tenant and between two.
ROWS = """
    insert into users (user_id, name, email)
    select app.uuid7(), 'User', n || '@example.com' from generate_series(1, 7) n;
    create view places as select user_id from users union all
    (select user_id from users, generate_series(1, 6) where email = '1@example.com');
    insert into channels (user_id, channel_id, type, name) select user_id, user_id, 'whatsapp', 'Shop' from users;
    insert into contacts (user_id, contact_id, name, handle, channel_type)
    select user_id, user_id, 'Customer', '+5511900000001', 'whatsapp' from users;
    insert into conversations (user_id, conversation_id, contact_id, channel_id, handle)
    select user_id, user_id, user_id, user_id, '+5511900000001' from users;
"""
DELIVERIES = """insert into deliveries (user_id, conversation_id, channel_id, lane, kind, payload, state, due_at,
                                        give_up_at, updated_at)
                select user_id, user_id, user_id, user_id, 'read', '{{}}', '{state}', now(), now(), '{updated}'
                  from places"""
WEBHOOKS = """with made as (
                  insert into subscriptions (user_id, subscription_id, url, events, secret)
                  select user_id, user_id, 'https://example.com', '{*}', 'x' from users returning user_id
              ), laned as (
                  insert into webhook_lanes (user_id, subscription_id) select user_id, user_id from made
              ), body as (
                  insert into webhook_bodies (user_id, event_id, type, body, created_at)
                  select user_id, app.uuid7(), 'task.created', '{}', '2020-01-01' from places
                  returning user_id, event_id
              )
              insert into webhook_deliveries (user_id, delivery_id, subscription_id, event_id, type, number, state,
                                              updated_at)
              select user_id, app.uuid7(), user_id, event_id, 'task.created', 1, 'delivered', '2020-01-01' from body"""
