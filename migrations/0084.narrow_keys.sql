-- depends: 0083.plain_inserts

-- The indexes that were built beside those of before take their places: a moment in which nobody reads either. Locked only
-- now: who reads before writing keeps what was locked less strictly from being locked more.
lock table messages, message_payloads in access exclusive mode;

alter table message_payloads drop constraint message_payloads_key,
    add constraint message_payloads_key primary key using index message_payloads_by_time;

drop index messages_by_time;

alter index messages_of_time rename to messages_by_time;
