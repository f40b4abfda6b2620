lock table messages, message_payloads in access exclusive mode;

alter index messages_by_time rename to messages_of_time;

create index messages_by_time on messages (user_id, sent_at desc, message_id desc);

create unique index message_payloads_of_tenant on message_payloads (user_id, message_id);

alter table message_payloads drop constraint message_payloads_key,
    add constraint message_payloads_key primary key using index message_payloads_of_tenant;

create unique index message_payloads_by_time on message_payloads (message_id, user_id);
