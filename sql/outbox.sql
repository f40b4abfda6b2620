-- Messages on their way out.

-- name: hold_id
-- The same lock that a status for this id takes: it comes before the message, or after it, never beside it.
select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', c.user_id, h.type, :external_id::text), 0))
  from conversations c
  join channels h using (user_id, channel_id)
 where c.user_id = :user_id and c.conversation_id = :conversation_id

-- name: hold_id_of
-- Likewise, by the message.
select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', m.user_id, h.type, :external_id::text), 0))
  from messages m
  join channels h using (user_id, channel_id)
 where m.user_id = :user_id and m.message_id = :message_id

-- name: echo
-- A message that was written in the messenger's own app, by its id in the channel of this conversation; locked.
select m.message_id
  from conversations c
 cross join app.messages_keyed(array[c.channel_id], array[:external_id]) k (message_id)
  join messages m on m.user_id = c.user_id and m.message_id = k.message_id
 where c.user_id = :user_id and c.conversation_id = :conversation_id and m.conversation_id = c.conversation_id
   and m.source = 'native_app'
   for no key update of c

-- name: line
-- What decides whether a message may go out; the conversation is locked.
select c.contact_id, c.channel_id, c.last_inbound_at, h.type as channel_type, h.active as channel_active,
       k.provider, k.options, t.opted_out_at, clock_timestamp() as now
  from conversations c
  join channels h on h.user_id = c.user_id and h.channel_id = c.channel_id
  join contacts t on t.user_id = c.user_id and t.contact_id = c.contact_id
  left join connections k on k.user_id = c.user_id and k.channel_id = c.channel_id
 where c.user_id = :user_id and c.conversation_id = :conversation_id
   for no key update of c

-- name: send
-- The message, and the conversation that it is now the newest of.
with message as (
    insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key, body,
                          attachments, template, subject, reply_to_id, status, author, source, sent_at, queued_at)
    values (:user_id, :message_id, :conversation_id, :channel_id, 'outbound', :external_id, :external_id, :body,
            :attachments, :template, :subject, :reply_to_id, :status, :author, :source, clock_timestamp(),
            clock_timestamp())
    returning message_id, sent_at, body, attachments
)
update conversations c
   set last_message_id        = message.message_id,
       last_message_at        = message.sent_at,
       active_at              = message.sent_at,
       last_message_direction = 'outbound',
       waiting_since          = app.waiting_since(c, 'outbound', message.sent_at),
       snippet                = app.snippet(message.body, message.attachments),
       updated_at             = now()
  from message
 where c.user_id = :user_id and c.conversation_id = :conversation_id

-- name: schedule
-- For later: the conversation does not move yet.
insert into messages (user_id, message_id, conversation_id, channel_id, direction, body, attachments, template, subject,
                      reply_to_id, status, author, source, sent_at, scheduled_at, due_at, cancel_on_reply, queued_at)
values (:user_id, :message_id, :conversation_id, :channel_id, 'outbound', :body, :attachments, :template, :subject,
        :reply_to_id, 'scheduled', :author, :source, :scheduled_at, :scheduled_at, :scheduled_at, :cancel_on_reply, null)

-- name: apply_waiting
-- Statuses that came before the message was stored.
select app.apply_waiting(:user_id, :type, :external_id, :message_id)

-- name: hold_conversation
-- Locked before its message, as everywhere.
select c.conversation_id
  from messages m
  join conversations c on c.user_id = m.user_id and c.conversation_id = m.conversation_id
 where m.user_id = :user_id and m.message_id = :message_id and m.direction = 'outbound'
   for no key update of c

-- name: hold
-- An outbound message and its line.
select m.user_id, m.message_id, m.conversation_id, m.channel_id, m.status, m.body, m.attachments, m.template, m.subject,
       m.failure, m.external_id, m.queued_at, m.due_at, m.claim, m.claim ->> 'state' as claim_state, m.cancel_on_reply,
       m.delivery ->> 'state' as delivery_state, m.created_at, coalesce(m.author, 'person') as author, m.source,
       c.contact_id, c.last_inbound_at, h.type as channel_type, h.active as channel_active, k.provider, k.options,
       t.opted_out_at, clock_timestamp() as now
  from messages m
  join conversations c on c.user_id = m.user_id and c.conversation_id = m.conversation_id
  join channels h on h.user_id = m.user_id and h.channel_id = m.channel_id
  join contacts t on t.user_id = c.user_id and t.contact_id = c.contact_id
  left join connections k on k.user_id = m.user_id and k.channel_id = m.channel_id
 where m.user_id = :user_id and m.message_id = :message_id
   for no key update of m

-- name: change
-- Of a scheduled message; what is null stays.
update messages
   set body            = coalesce(:body, body),
       scheduled_at    = coalesce(:scheduled_at, scheduled_at),
       sent_at         = coalesce(:scheduled_at, sent_at),
       due_at          = coalesce(:scheduled_at, due_at),
       cancel_on_reply = coalesce(:cancel_on_reply, cancel_on_reply)
 where user_id = :user_id and message_id = :message_id

-- name: withdraw
-- Whether nothing of a queued message is under way or out; then nothing of it will be.
select app.withdraw(:user_id, :message_id)

-- name: set_cancelled
-- It will not go out.
update messages
   set status = 'cancelled', failure = :failure, due_at = null, claim = null
 where user_id = :user_id and message_id = :message_id

-- name: release
-- Its time has come: from now on it is any message, and the newest.
with message as (
    update messages
       set status = 'queued', sent_at = clock_timestamp(), queued_at = clock_timestamp(), due_at = null
     where user_id = :user_id and message_id = :message_id
    returning conversation_id, message_id, sent_at, body, attachments
)
update conversations c
   set last_message_id        = message.message_id,
       last_message_at        = message.sent_at,
       active_at              = message.sent_at,
       last_message_direction = 'outbound',
       waiting_since          = app.waiting_since(c, 'outbound', message.sent_at),
       snippet                = app.snippet(message.body, message.attachments),
       updated_at             = now()
  from message
 where c.user_id = :user_id and c.conversation_id = message.conversation_id

-- name: due
-- Of all tenants, what the sweep has to look at.
select user_id, message_id from app.due_messages(:limit)

-- name: claim
-- The first queued message of each conversation, unless somebody has it already.
with heads as (
    select distinct on (m.conversation_id) m.message_id, m.queued_at, m.claim, m.due_at
      from messages m
     where m.user_id = :user_id
       and m.status = 'queued'
       and m.direction = 'outbound'
       and m.external_id is null
       and m.delivery is null
       and m.queued_at > now() - make_interval(secs => :max_age)
       and (:channel_id::uuid is null or m.channel_id = :channel_id)
       and not exists (select from connections k
                        where k.user_id = m.user_id and k.channel_id = m.channel_id
                          and (k.provider <> 'email' or k.config ? 'smtp'))
     order by m.conversation_id, m.queued_at, m.message_id
), taken as (
    select m.message_id
      from messages m
      join heads using (message_id)
     where m.user_id = :user_id
       and m.status = 'queued'
       and (m.claim is null or m.claim ->> 'state' <> 'leased'
            or (coalesce(m.due_at, '-infinity') <= now() and m.claim ->> 'on_unknown' = 'retry'
                and (m.claim ->> 'attempts')::integer < :most_claims))
     order by heads.queued_at, m.message_id
     limit :most
       for update of m skip locked
)
update messages m
   set due_at = now() + make_interval(secs => :lease_seconds),
       claim  = jsonb_build_object('state', 'leased', 'on_unknown', :on_unknown::text,
                                   'attempts', coalesce((m.claim ->> 'attempts')::integer, 0) + 1)
  from taken
 where m.user_id = :user_id and m.message_id = taken.message_id
returning m.message_id as id, m.due_at as lease_until, (m.claim ->> 'attempts')::integer as attempts, m.queued_at

-- name: absorb
-- A copy that the messenger told of first becomes this message.
select app.absorb_echo(:user_id, :channel_id, :external_id, :message_id)

-- name: settle_claim
-- What somebody else has told.
update messages
   set status      = :status,
       external_id = coalesce(:external_id, external_id),
       dedupe_key  = coalesce(:external_id, dedupe_key),
       failure     = :failure,
       error       = :detail,
       delivery    = null,
       due_at      = null,
       claim       = coalesce(claim, '{}') || jsonb_build_object('state', 'reported', 'reported', :reported::jsonb)
 where user_id = :user_id and message_id = :message_id

-- name: hold_back
-- Nobody knows whether it went out: it waits for a proof, or for a person.
update messages
   set failure  = :failure,
       due_at   = now() + make_interval(secs => :seconds),
       claim    = claim || '{"state": "held"}',
       delivery = jsonb_build_object('state', 'unknown', 'attempts', :attempts::integer, 'next_attempt_at', null,
                                     'parts', 1, 'parts_sent', 0)
 where user_id = :user_id and message_id = :message_id

-- name: set_failed
-- For good, or until a proof comes.
update messages
   set status   = 'failed',
       failure  = :failure,
       error    = :detail,
       due_at   = null,
       delivery = delivery || '{"state": "dead"}'
 where user_id = :user_id and message_id = :message_id

-- name: forget_due
-- There is nothing to look at any more.
update messages set due_at = null where user_id = :user_id and message_id = :message_id

-- name: requeue
-- Fresh again; what it was known by belongs to the attempt that failed.
update messages
   set status = 'queued', failure = null, error = null, delivery = null, claim = null, due_at = null,
       external_id = null, dedupe_key = null, queued_at = clock_timestamp()
 where user_id = :user_id and message_id = :message_id
