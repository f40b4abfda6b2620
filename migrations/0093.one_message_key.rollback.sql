lock table messages in access exclusive mode;

alter table messages alter column queued_at set default now();

comment on column messages.queued_at is 'when it was last put in the queue; null: by an older version';

alter index messages_external_id_taken rename to messages_by_digest;

alter table messages add constraint messages_external_id_taken unique (user_id, channel_id, dedupe_key);
