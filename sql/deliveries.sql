-- Deliveries: the calls that messages and receipts take.

-- name: message
-- All that decides whether a queued message goes out, and in which parts; its conversation is locked already.
select m.user_id, m.message_id, m.conversation_id, m.channel_id, m.status, m.external_id, m.body, m.attachments, m.template,
       m.subject, m.reply_to_id, coalesce(m.author, 'person') as author, r.external_id as reply_to_external_id,
       c.last_inbound_at, h.type as channel_type, h.active as channel_active, h.name as channel_name,
       k.provider, k.options, k.config, t.opted_out_at, clock_timestamp() as now,
       m.queued_at < k.created_at as from_before
  from messages m
  join conversations c on c.user_id = m.user_id and c.conversation_id = m.conversation_id
  join channels h on h.user_id = m.user_id and h.channel_id = m.channel_id
  join contacts t on t.user_id = c.user_id and t.contact_id = c.contact_id
  left join connections k on k.user_id = m.user_id and k.channel_id = m.channel_id
  left join messages r on r.user_id = m.user_id and r.message_id = m.reply_to_id
 where m.user_id = :user_id and m.message_id = :message_id

-- name: make
-- One row for each part, the first of them at the head if nothing of the conversation waits.
select app.make_deliveries(:user_id, :message_id, :conversation_id, :channel_id, :parts, :rate,
                           make_interval(secs => :max_age))

-- name: renew
-- The parts that are not out begin anew; false where the message never had any.
select app.renew_deliveries(:user_id, :message_id, make_interval(secs => :max_age))

-- name: answered_mail
-- The mail that is named, else the customer's last one.
select m.external_id, m.subject, m.references_
  from messages m
 where m.user_id = :user_id
   and m.conversation_id = :conversation_id
   and m.external_id is not null
   and (m.message_id = :reply_to_id::uuid or (:reply_to_id::uuid is null and m.direction = 'inbound'))
 order by m.sent_at desc, m.message_id desc
 limit 1

-- name: receipt_line
-- Where a receipt goes, and the customer's last message with an id.
select c.conversation_id, c.channel_id, k.provider, k.options,
       (select m.external_id from messages m
         where m.user_id = c.user_id and m.message_id = c.last_inbound_id) as last_external_id
  from conversations c
  left join connections k on k.user_id = c.user_id and k.channel_id = c.channel_id
 where c.user_id = :user_id and c.conversation_id = :conversation_id

-- name: add_receipt
-- Beside the messages, in no order with them.
insert into deliveries (user_id, conversation_id, channel_id, lane, kind, payload, state, due_at, give_up_at)
values (:user_id, :conversation_id, :channel_id, :conversation_id, :kind, :payload, 'waiting', clock_timestamp(),
        clock_timestamp() + make_interval(secs => :seconds))

-- name: called_off
-- Scheduled messages of a conversation that a reply cancels.
-- Bounded by the conversation's waiting messages.
with held as materialized (
    select conversation_id
      from conversations
     where user_id = :user_id and conversation_id = :conversation_id
       for no key update
)
update messages m
   set status = 'cancelled', failure = :failure, due_at = null
  from held
 where m.user_id = :user_id and m.conversation_id = held.conversation_id and m.status = 'scheduled' and m.cancel_on_reply
   and m.created_at < :at
returning m.message_id

-- name: release_channel
-- What waited for its credentials goes on.
select app.release_channel(:user_id, :channel_id)

-- name: claim
-- Due rows of all tenants for one worker.
select * from app.claim_deliveries(:worker, :most, make_interval(secs => :lease_seconds), :each, :channels, :counts)

-- name: next_at
-- The next moment at which a row is due.
select app.next_delivery_at()

-- name: release
-- Rows that a worker took and did not begin.
select app.release_deliveries(:worker, :ids)

-- name: settle
-- What a call brought.
select app.settle_delivery(:user_id, :delivery_id, :worker, :result)

-- name: note_identity
-- Another way to write the number of a conversation, unless it is somebody's already.
insert into contact_identities (user_id, channel_type, value, contact_id, matched_as)
select c.user_id, h.type, :value, c.contact_id, c.handle
  from conversations c
  join channels h using (user_id, channel_id)
 where c.user_id = :user_id and c.conversation_id = :conversation_id
    on conflict do nothing

-- name: overdue
-- Rows that no worker will settle.
select * from app.overdue_deliveries(:limit)

-- name: lag
-- Seconds for which what is due has waited for a worker.
select app.delivery_lag()

-- name: give_up
-- One that waited too long.
select app.give_up_delivery(:user_id, :delivery_id, :state, :error)

-- name: failing_channels
-- Channels that have failed for a while.
select user_id, channel_id from app.failing_channels(make_interval(secs => :after_seconds), :limit)

-- name: tell_failing
-- Once.
select app.tell_failing_channel(:user_id, :channel_id)

-- name: forget_settled
-- Old rows; their messages keep a summary.
select app.forget_settled_deliveries(make_interval(secs => :keep_seconds), :limit)

-- name: of_message
-- By part.
-- Bounded by the parts of a message, and few attempts of each.
select part, kind, case when state = 'blocked' then 'waiting' else state end as state, attempts,
       case when state = 'waiting' and due_at < 'infinity' then due_at end as next_attempt_at, external_id, error,
       created_at, updated_at
  from deliveries
 where user_id = :user_id and message_id = :message_id
 order by part
