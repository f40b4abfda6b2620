drop index conversations_by_waiting;

drop index conversations_waiting;

drop index conversations_negotiation;

drop index conversations_negative;

drop index conversations_urgent;

drop index conversations_unread;

drop index conversations_by_status;

drop function app.waiting_since(conversations, text, timestamptz);

drop function app.first_unanswered(uuid, uuid);

alter table conversations drop column waiting_since;
