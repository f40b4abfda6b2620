delete from notifications where type = 'subscription.disabled';

alter table notifications drop constraint notifications_type;

alter table notifications add constraint notifications_type
    check (type in ('urgent_message', 'overdue_task', 'stalled_lead', 'rule_match'));

update api_tokens set scopes = array_remove(scopes, 'subscriptions') where 'subscriptions' = any (scopes);

alter table api_tokens drop constraint api_tokens_scopes;

alter table api_tokens add constraint api_tokens_scopes check (scopes <@ array['read', 'write', 'webhooks', 'admin']);

drop table webhook_deliveries;

drop table webhook_bodies;

drop table webhook_lanes;

drop table subscription_tombstones;

drop table subscriptions;

revoke usage on schema app from alfred_deliver;
