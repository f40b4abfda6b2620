drop table rejected_webhooks;

drop function app.redeem_ticket(bytea);

drop function app.issue_ticket(uuid, bytea, timestamptz);

drop table stream_tickets;

drop function app.notifications_after(uuid[], bigint[], integer);

drop table notifications;

drop sequence notifications_number;
