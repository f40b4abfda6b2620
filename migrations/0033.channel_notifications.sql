-- depends: 0032.connections

-- What a seller is told of a channel: it no longer works, or a message could not be sent.
alter table notifications drop constraint notifications_type;

alter table notifications add constraint notifications_type
    check (type in ('urgent_message', 'overdue_task', 'stalled_lead', 'rule_match', 'channel_error', 'delivery_failed',
                    'subscription.disabled'));
