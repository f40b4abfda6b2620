-- depends: 0092.message_digests

-- Apart from what has built the other: a lock that lets nobody read is held for a moment.
lock table messages in access exclusive mode;

alter table messages drop constraint messages_external_id_taken;

alter index messages_by_digest rename to messages_external_id_taken;

-- A customer's message waits in no queue.
alter table messages alter column queued_at drop default;

comment on column messages.queued_at is 'when it was last put in the queue; null: never, or by an older version';
