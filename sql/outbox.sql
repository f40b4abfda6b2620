-- Messages on their way out.

-- name: hold_id
-- The same lock that a status for this id takes: it comes before the message, or after it, never beside it.
select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', c.user_id, h.type, :external_id::text), 0))
  from conversations c
  join channels h using (user_id, channel_id)
 where c.user_id = :user_id and c.conversation_id = :conversation_id

-- name: echo
-- A message that was written in the messenger's own app, by its id in the channel of this conversation; locked.
select m.message_id
  from conversations c
  join messages m on m.user_id = c.user_id and m.conversation_id = c.conversation_id and m.dedupe_key = :external_id
 where c.user_id = :user_id and c.conversation_id = :conversation_id and m.channel_id = c.channel_id
   and m.source = 'native_app'
   for no key update of c

-- name: send
-- The message, and the conversation that it is now the newest of.
with message as (
    insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key,
                          body, reply_to_id, status, author, source, sent_at)
    values (:user_id, :message_id, :conversation_id, :channel_id, 'outbound', :external_id, :external_id,
            :body, :reply_to_id, :status, :author, :source, clock_timestamp())
    returning message_id, sent_at, body
)
update conversations c
   set last_message_id        = message.message_id,
       last_message_at        = message.sent_at,
       active_at              = message.sent_at,
       last_message_direction = 'outbound',
       waiting_since          = app.waiting_since(c, 'outbound', message.sent_at),
       snippet                = app.snippet(message.body, '[]'),
       updated_at             = now()
  from message
 where c.user_id = :user_id and c.conversation_id = :conversation_id

-- name: apply_waiting
-- Statuses that came before the message was stored.
select app.apply_waiting(:user_id, :type, :external_id, :message_id)
