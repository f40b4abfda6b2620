-- What the assistant builds on, and what became of its suggestions.

-- name: whom
-- The user, and the contact of a conversation or who is named; what is not there is null.
select u.locale, u.timezone, u.currency as own_currency, v.contact_id as spoken_to, c.contact_id, c.name, c.vip,
       c.negotiation_enabled, c.negotiation_mode, c.base_price, c.custom_price, c.currency, c.preferred_tone
  from users u
  left join conversations v on v.user_id = u.user_id and v.conversation_id = :conversation_id::uuid
  -- decided before it is looked up: under row level security no index is used for a condition with coalesce
 cross join lateral (select coalesce(v.contact_id, :contact_id::uuid) as contact_id offset 0) w
  left join contacts c on c.user_id = u.user_id and c.contact_id = w.contact_id
 where u.user_id = :user_id

-- name: turn
-- The customer's last turn: what they wrote since the seller's message before it, oldest first, at most 20.
with newest as (
    select sent_at, message_id
      from messages
     where user_id = :user_id and conversation_id = :conversation_id and direction = 'inbound' and deleted_at is null
     order by sent_at desc, message_id desc
     limit 1
), answered as (
    select m.sent_at, m.message_id
      from messages m, newest
     where m.user_id = :user_id and m.conversation_id = :conversation_id and m.direction = 'outbound'
       and (m.sent_at, m.message_id) < (newest.sent_at, newest.message_id)
     order by m.sent_at desc, m.message_id desc
     limit 1
), turn as (
    select m.message_id, m.sent_at, left(m.body, 20000) as body, m.classification ->> 'language' as language
      from messages m
     where m.user_id = :user_id and m.conversation_id = :conversation_id and m.direction = 'inbound'
       and m.deleted_at is null
       and not exists (select from answered where (m.sent_at, m.message_id) < (answered.sent_at, answered.message_id))
     order by m.sent_at desc, m.message_id desc
     limit 20
)
select * from turn order by sent_at, message_id

-- name: language
-- That of the conversation so far: of the last inbound message before the turn to answer whose language was told.
select classification ->> 'language'
  from messages
 where user_id = :user_id and conversation_id = :conversation_id and direction = 'inbound'
   and classification ->> 'language' is not null and message_id <> all (:turn::uuid[])
 order by sent_at desc, message_id desc
 limit 1

-- name: add
-- To be told the outcome of.
insert into ai_suggestions (user_id, suggestion_id, kind, contact_id, conversation_id, based_on_message_id, provider, used,
                            fallback_reason, model, prompt_version, input_hash, input_tokens, output_tokens,
                            milliseconds, cost)
values (:user_id, :suggestion_id, :kind, :contact_id, :conversation_id, :based_on_message_id, :provider, :used::uuid[],
        :fallback_reason, :model, :prompt_version, :input_hash, :input_tokens, :output_tokens, :milliseconds, :cost)

-- name: feedback
-- The last word counts.
update ai_suggestions
   set outcome = :outcome, outcome_at = now()
 where user_id = :user_id and suggestion_id = :suggestion_id
returning suggestion_id as id, kind, outcome, outcome_at

-- name: stats
-- Each kind's outcomes.
-- Bounded by the kinds.
select kind,
       count(*)                                       as suggested,
       count(*) filter (where outcome = 'sent')       as sent,
       count(*) filter (where outcome = 'edited')     as edited,
       count(*) filter (where outcome = 'dismissed')  as dismissed
  from ai_suggestions
 where user_id = :user_id
 group by kind
 order by kind
