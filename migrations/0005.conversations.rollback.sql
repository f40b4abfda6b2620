drop table message_updates;

drop sequence message_updates_number;

drop table message_payloads;

drop table messages;

drop table conversations;
