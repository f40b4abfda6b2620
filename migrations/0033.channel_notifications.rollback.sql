delete from notifications where type in ('channel_error', 'delivery_failed');

alter table notifications drop constraint notifications_type;

alter table notifications add constraint notifications_type
    check (type in ('urgent_message', 'overdue_task', 'stalled_lead', 'rule_match', 'subscription.disabled'));
