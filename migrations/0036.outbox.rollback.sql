drop function app.absorb_echo(uuid, uuid, text, uuid);

drop function app.apply_update(uuid, uuid, message_updates);

alter function app.apply_change(uuid, uuid, message_updates) rename to apply_update;

drop function app.apply_status(uuid, uuid, text, jsonb, text);

drop function app.failure_of(text);

drop function app.due_messages(integer);

drop policy messages_deliver on messages;

revoke select on messages from alfred_deliver;

create or replace function app.status_rank(p_status text) returns integer
language sql immutable
as $$ select array_position(array['queued', 'sent', 'delivered', 'read'], p_status) $$;

drop index messages_scheduled;

drop index messages_outbox;

drop index messages_due;

update messages set status = 'failed', error = 'It was not sent before an older version was installed.'
 where status in ('scheduled', 'cancelled');

update message_updates set error = error::jsonb ->> 'detail' where error like '{"%';

alter table messages
    drop column claim,
    drop column due_at,
    drop column queued_at,
    drop column delivery,
    drop column failure,
    drop column template,
    drop column cancel_on_reply,
    drop column scheduled_at,
    drop constraint messages_status,
    add constraint messages_status check (status in ('received', 'queued', 'sent', 'delivered', 'read', 'failed'));
