drop function app.streams_ended(uuid[], uuid[], uuid[]);

drop function app.redeem_opener(bytea);

drop function app.issue_ticket(uuid, bytea, timestamptz, uuid, uuid, timestamptz);

alter table stream_tickets
    drop column until,
    drop column session_id,
    drop column token_id;
