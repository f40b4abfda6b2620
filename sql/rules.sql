-- Rules, and what they have done.

-- part: matches
-- ordered by the rule: read by its index, though one rule may have nearly all matches that there are
select count(*) as matches, max(o.matched_at) as last_at
  from (select h.matched_at from rule_matches h
         where h.user_id = r.user_id and h.rule_id between r.rule_id and r.rule_id
         order by h.rule_id) o

-- name: page
-- Newest first.
select r.rule_id as id, r.name, r.text, r.compiled, r.enabled, r.explanation, r.warnings, r.created_at, r.updated_at,
       r.old_matches + m.matches as match_count, greatest(r.old_match_at, m.last_at) as last_matched_at
  from rules r
 cross join lateral ({{matches}}) m
 where r.user_id = :user_id
   and (:before_at::timestamptz is null or (r.created_at, r.rule_id) < (:before_at, :before_id::uuid))
 order by r.created_at desc, r.rule_id desc
 limit :limit

-- name: get
-- One, in the shape of the list.
select r.rule_id as id, r.name, r.text, r.compiled, r.enabled, r.explanation, r.warnings, r.created_at, r.updated_at,
       r.old_matches + m.matches as match_count, greatest(r.old_match_at, m.last_at) as last_matched_at
  from rules r
 cross join lateral ({{matches}}) m
 where r.user_id = :user_id and r.rule_id = :rule_id

-- name: add
-- As compiled.
insert into rules (user_id, rule_id, name, text, language, compiled, enabled, explanation, warnings)
values (:user_id, :rule_id, :name, :text, :language, :compiled, :enabled, :explanation, :warnings)

-- name: update
-- What is null stays as it is, but for the sentence; a new one comes with all that was compiled of it.
update rules
   set name        = coalesce(:name, name),
       enabled     = coalesce(:enabled, enabled),
       text        = case when :set_text::boolean then :text else text end,
       language    = coalesce(:language, language),
       compiled    = coalesce(:compiled, compiled),
       explanation = coalesce(:explanation, explanation),
       warnings    = coalesce(:warnings, warnings),
       updated_at  = now()
 where user_id = :user_id and rule_id = :rule_id

-- name: remove
-- With what it has done.
delete from rules where user_id = :user_id and rule_id = :rule_id

-- name: waiting_for
-- The rules that an event may fire, oldest first; where some match already and have not acted, the first of those.
with due as materialized (
    select rule_id from rule_matches where user_id = :user_id and subject = :subject and pending
)
select r.rule_id, r.name, r.compiled::text as compiled, r.rule_id in (select rule_id from due) as pending
  from rules r
 where r.user_id = :user_id and r.enabled and r.compiled ->> 'trigger' = :trigger
   and (not exists (select from due) or r.rule_id in (select rule_id from due))
 order by r.created_at, r.rule_id
 limit (select :most::integer from due limit 1)

-- name: situations_of
-- Everything that conditions may ask of some events' messages (else the customer's last), contacts and conversations.
-- Bounded by the events given.
select * from app.bus_situations(:users, :conversations, :messages, :contacts)

-- name: of_users
-- The rules of several tenants, of each at most some.
select user_id, trigger, compiled from app.bus_rules(:users, :most)

-- name: note_matches
-- Those that match for the first time.
-- Bounded by the rules given.
insert into rule_matches (user_id, rule_id, subject, conversation_id)
select :user_id, rule_id, :subject, :conversation_id from unnest(:rule_ids::uuid[]) rule_id
    on conflict (user_id, rule_id, subject) do nothing
returning rule_id

-- name: leave_pending
-- Of the rules that match, those that act at the next turn.
update rule_matches
   set pending = rule_id = any (:left::uuid[])
 where user_id = :user_id and subject = :subject and rule_id = any (:rule_ids::uuid[])
   and pending <> (rule_id = any (:left))

-- name: may_reply
-- One automatic reply for each conversation and rule in ten minutes: true marks this match as the one.
update rule_matches
   set replied = true
 where user_id = :user_id and rule_id = :rule_id and subject = :subject
   and not exists (
        select from rule_matches m
         where m.user_id = :user_id and m.rule_id = :rule_id and m.conversation_id = :conversation_id
           and m.replied and m.matched_at > now() - interval '10 minutes')
returning true

-- name: situations
-- The situations of several past messages at once; contact and conversation as they are now.
select m.message_id, u.timezone, u.locale,
       left(m.body, 20000) as text, m.classification, m.sent_at, m.direction,
       h.type as channel,
       c.contact_id, c.name as contact_name, c.handle as contact_handle, c.vip,
       case when c.negotiation_enabled then c.negotiation_mode else 'off' end as negotiation_mode,
       v.conversation_id, v.status, v.tags, v.unread_count,
       array(select distinct a ->> 'type' from jsonb_array_elements(m.attachments) a) as attachments,
       not exists (select from conversations o
                    where o.user_id = v.user_id and o.contact_id = v.contact_id
                      and (o.created_at, o.conversation_id) < (v.created_at, v.conversation_id)) as first_conversation
  from messages m
  join users u on u.user_id = m.user_id
  join conversations v on v.user_id = m.user_id and v.conversation_id = m.conversation_id
  join channels h on h.user_id = m.user_id and h.channel_id = v.channel_id
  join contacts c on c.user_id = m.user_id and c.contact_id = v.contact_id
 where m.user_id = :user_id and m.direction = 'inbound' and m.deleted_at is null and m.sent_at > :since
   and (:before_at::timestamptz is null or (m.sent_at, m.message_id) < (:before_at, :before_id::uuid))
 order by m.sent_at desc, m.message_id desc
 limit :limit
