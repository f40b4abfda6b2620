-- Messages that a model reads once more.

-- name: add
-- What holds words only; once.
insert into ai_refinements (user_id, message_id)
select m.user_id, m.message_id
  from messages m
 where m.user_id = :user_id and m.message_id = :message_id and m.direction = 'inbound' and m.deleted_at is null
   and m.classification is not null and length(m.body) > 1
    on conflict do nothing

-- name: claim
-- Each by one worker.
select user_id, message_id from app.claim_refinements(:most, :lease, :busy)

-- name: due_in
-- Seconds until there is something to read.
select app.refinements_due_in()

-- name: to_read
-- The beginning of the message as it is now, with the name to hide.
select left(m.body, 20000) as body, m.classification, c.name
  from messages m
  join conversations v using (user_id, conversation_id)
  join contacts c using (user_id, contact_id)
 where m.user_id = :user_id and m.message_id = :message_id and m.deleted_at is null and m.classification is not null

-- name: earlier
-- What the customer wrote before it in the same turn, oldest first: the last of it.
with told as (
    select conversation_id, sent_at, message_id
      from messages
     where user_id = :user_id and message_id = :message_id
), answered as (
    select m.sent_at, m.message_id
      from messages m
      join told using (conversation_id)
     where m.user_id = :user_id and m.direction = 'outbound'
       and (m.sent_at, m.message_id) < (told.sent_at, told.message_id)
     order by m.sent_at desc, m.message_id desc
     limit 1
), earlier as (
    select m.body, m.sent_at, m.message_id
      from messages m
      join told using (conversation_id)
     where m.user_id = :user_id and m.direction = 'inbound' and m.deleted_at is null and m.body <> ''
       and (m.sent_at, m.message_id) < (told.sent_at, told.message_id)
       and not exists (select from answered where (m.sent_at, m.message_id) < (answered.sent_at, answered.message_id))
     order by m.sent_at desc, m.message_id desc
     limit :most
)
select body from earlier order by sent_at, message_id

-- name: done
-- Read, or not to be read.
delete from ai_refinements where user_id = :user_id and message_id = :message_id

-- name: reclassify
-- The message, unless its text was changed meanwhile; and its conversation, where it is the last one of the customer's.
with held as materialized (
    select c.conversation_id
      from messages m
      join conversations c on c.user_id = m.user_id and c.conversation_id = m.conversation_id
     where m.user_id = :user_id and m.message_id = :message_id
       for no key update of c
), changed as (
    update messages m
       set classification       = m.classification || :classification,
           first_classification = coalesce(m.first_classification, m.classification)
      from held
     where m.user_id = :user_id and m.message_id = :message_id and left(m.body, 20000) = :body and m.deleted_at is null
    returning m.conversation_id, m.message_id, m.classification
), shown as (
    update conversations v
       set sentiment   = changed.classification ->> 'sentiment',
           urgency     = changed.classification ->> 'urgency',
           negotiation = (changed.classification ->> 'negotiation')::boolean,
           updated_at  = now()
      from changed
     where v.user_id = :user_id and v.conversation_id = changed.conversation_id and v.last_inbound_id = changed.message_id
)
select changed.conversation_id, v.contact_id, changed.classification
  from changed
  join conversations v on v.user_id = :user_id and v.conversation_id = changed.conversation_id
