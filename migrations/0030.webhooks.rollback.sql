drop function app.sweep_webhooks(interval, interval, integer, integer);

drop function app.expire_webhooks();

drop function app.webhooks_due_in();

drop function app.claim_webhooks(uuid, integer, interval, uuid[], integer[], uuid[], integer[]);

drop function app.tidy_lane(uuid, uuid);

drop function app.replay_webhooks(uuid, uuid, bigint[]);

drop function app.settle_webhook(uuid, uuid, uuid, text, interval, jsonb, boolean, interval, boolean, interval);

drop function app.users_with_subscriptions(uuid[]);

drop function app.queue_webhooks(uuid, bigint[], text[], uuid[]);

drop function app.wake_lane(uuid, uuid, timestamptz);

drop function app.has_type(text[], text);
