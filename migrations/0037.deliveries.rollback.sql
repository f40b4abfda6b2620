drop function app.take_in_update(uuid, jsonb);

alter function app.take_in_known_update(uuid, jsonb) rename to take_in_update;

drop function app.message_for(uuid, text, text, text);

alter function app.message_by_id(uuid, text, text, text) rename to message_for;

drop function app.apply_status(uuid, uuid, text, jsonb, text);

alter function app.apply_message_status(uuid, uuid, text, jsonb, text) rename to apply_status;

drop function app.tell_failing_channel(uuid, uuid);

drop function app.give_up_delivery(uuid, uuid, text, jsonb);

drop function app.forget_settled_deliveries(interval, integer);

drop function app.failing_channels(interval, integer);

drop function app.overdue_deliveries(integer);

drop function app.release_deliveries(uuid, uuid[]);

drop function app.next_delivery_at();

drop function app.claim_deliveries(uuid, integer, interval, integer, uuid[], integer[]);

drop function app.forget_deliveries(uuid, uuid);

drop function app.release_channel(uuid, uuid);

drop function app.renew_deliveries(uuid, uuid, interval);

drop function app.withdraw(uuid, uuid);

drop function app.bind_delivery(uuid, uuid, text);

drop function app.note_channel(uuid, uuid, jsonb);

drop function app.settle_delivery(uuid, uuid, uuid, jsonb);

drop function app.deliver_part(uuid, deliveries);

drop function app.name_delivery(uuid, deliveries, text);

drop function app.settle_message(uuid, uuid);

drop function app.delivery_of(uuid, uuid, jsonb);

drop function app.make_deliveries(uuid, uuid, uuid, uuid, jsonb, double precision, interval);

drop function app.promote(uuid, uuid);

drop function app.goes_at(uuid, uuid, timestamptz);

alter table connections
    drop column failing_since,
    drop column failures,
    drop column pauses,
    drop column next_slot_at;

revoke select on connections, conversations, channels, contacts from alfred_deliver;

drop policy contacts_deliver on contacts;

drop policy channels_deliver on channels;

drop policy conversations_deliver on conversations;

drop policy connections_deliver on connections;

update messages set delivery = null where delivery ->> 'state' = 'waiting';

drop table deliveries;

drop sequence deliveries_number;
