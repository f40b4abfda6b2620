-- Messages on their way in.

-- name: take_in
-- A batch of items, in the order of their keys; each wears its tenant's hat.
select app.take_in_wanted(:items)

-- name: take_in_known
-- The same, a statement for each table, of plain messages in conversations that are there; null is what is left.
select app.take_in_wanted_known(:items)

-- name: take_in_new
-- The same of a large post, whose new customers are met together.
select app.take_in_new(:items)

-- name: backdate
-- For imports: when it was really sent.
update messages set sent_at = :sent_at where user_id = :user_id and message_id = :message_id

-- name: refresh_newest
-- After an import: what the list shows of the newest message.
update conversations c
   set last_message_id        = m.message_id,
       last_message_at        = m.sent_at,
       active_at              = m.sent_at,
       last_message_direction = m.direction,
       snippet                = app.snippet(m.body, m.attachments),
       waiting_since          = case when c.status <> 'closed' then app.first_unanswered(c.user_id, c.conversation_id) end
  from (select message_id, sent_at, direction, body, attachments
          from messages
         where user_id = :user_id and conversation_id = :conversation_id
         order by sent_at desc, message_id desc
         limit 1) m
 where c.user_id = :user_id and c.conversation_id = :conversation_id
