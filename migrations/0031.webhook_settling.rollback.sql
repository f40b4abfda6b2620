drop function app.settle_webhook_alone(uuid, uuid, uuid, text, interval, jsonb, boolean, interval, boolean, interval, jsonb);
