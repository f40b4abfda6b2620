-- Reports: what happened in each day, week or month of the user's zone.

-- part: buckets
buckets as (
    select local, local at time zone :zone as start
      from generate_series(date_trunc(:interval, :since::timestamptz at time zone :zone::text),
                           :until::timestamptz at time zone :zone,
                           ('1 ' || :interval::text)::interval) local
     where local at time zone :zone < :until
)

-- part: spanned
m.user_id = :user_id and m.sent_at >= :since and m.sent_at < :until
       and (:channel::text is null or m.channel_id in (
                select channel_id from channels where user_id = :user_id and type = :channel))

-- name: messages
-- In and out.
-- Bounded by the buckets of the span.
with {{buckets}}, counted as (
    select date_trunc(:interval, m.sent_at at time zone :zone) as local,
           count(*) filter (where m.direction = 'inbound') as inbound,
           count(*) filter (where m.direction = 'outbound'
                            and m.status not in ('failed', 'scheduled', 'cancelled')) as outbound
      from messages m
     where {{spanned}}
     group by 1
)
select start, coalesce(inbound, 0) as inbound, coalesce(outbound, 0) as outbound
  from buckets left join counted using (local)
 order by start

-- name: response_times
-- Of each answer in the bucket: how long its customer had waited since the first message that was not answered.
with {{buckets}}, answers as (
    select date_trunc(:interval, m.sent_at at time zone :zone) as local,
           extract(epoch from m.sent_at - asked.sent_at) as seconds
      from messages m
      left join lateral (
        select p.sent_at, p.message_id from messages p
         where p.user_id = m.user_id and p.conversation_id = m.conversation_id
           and p.direction = 'outbound' and p.status not in ('failed', 'scheduled', 'cancelled')
           and (p.sent_at, p.message_id) < (m.sent_at, m.message_id)
         order by p.sent_at desc, p.message_id desc
         limit 1) before on true
     cross join lateral (
        select i.sent_at, i.direction from messages i
         where i.user_id = m.user_id and i.conversation_id = m.conversation_id and i.direction = 'inbound'
           and (i.sent_at, i.message_id) < (m.sent_at, m.message_id)
           and (i.sent_at, i.message_id) > (coalesce(before.sent_at, '-infinity'),
                                            coalesce(before.message_id, '00000000-0000-0000-0000-000000000000'))
         order by i.sent_at, i.message_id
         limit 1) asked
     where {{spanned}} and m.direction = 'outbound' and m.status not in ('failed', 'scheduled', 'cancelled')
), counted as (
    select local, count(*) as answers,
           percentile_cont(0.5) within group (order by seconds) as median,
           percentile_cont(0.9) within group (order by seconds) as p90
      from answers
     group by local
)
select start, coalesce(answers, 0) as answers,
       round(median::numeric, 1)::float8 as median, round(p90::numeric, 1)::float8 as p90
  from buckets left join counted using (local)
 order by start

-- name: sentiment
-- Of the customers' messages.
-- Bounded by the buckets of the span.
with {{buckets}}, counted as (
    select date_trunc(:interval, m.sent_at at time zone :zone) as local,
           count(*) filter (where m.classification ->> 'sentiment' = 'positive') as positive,
           count(*) filter (where m.classification ->> 'sentiment' = 'neutral') as neutral,
           count(*) filter (where m.classification ->> 'sentiment' = 'negative') as negative
      from messages m
     where {{spanned}} and m.direction = 'inbound'
     group by 1
)
select start, coalesce(positive, 0) as positive, coalesce(neutral, 0) as neutral, coalesce(negative, 0) as negative
  from buckets left join counted using (local)
 order by start

-- name: urgency
-- Of the customers' messages.
-- Bounded by the buckets of the span.
with {{buckets}}, counted as (
    select date_trunc(:interval, m.sent_at at time zone :zone) as local,
           count(*) filter (where m.classification ->> 'urgency' = 'low') as low,
           count(*) filter (where m.classification ->> 'urgency' = 'medium') as medium,
           count(*) filter (where m.classification ->> 'urgency' = 'high') as high
      from messages m
     where {{spanned}} and m.direction = 'inbound'
     group by 1
)
select start, coalesce(low, 0) as low, coalesce(medium, 0) as medium, coalesce(high, 0) as high
  from buckets left join counted using (local)
 order by start

-- name: tasks
-- What came, what was done, and what was open at the end of each bucket (of the last one: until now).
-- Bounded by the buckets of the span.
with {{buckets}}, known as (
    select t.created_at, t.completed_at,
           case t.status when 'done' then t.completed_at when 'cancelled' then t.updated_at end as closed_at
      from tasks t
     where t.user_id = :user_id and t.created_at < :until
       and (:channel::text is null or t.conversation_id in (
                select c.conversation_id from conversations c join channels h using (user_id, channel_id)
                 where c.user_id = :user_id and h.type = :channel))
), moves as (
    select date_trunc(:interval, greatest(created_at, :since) at time zone :zone) as local,
           (created_at >= :since)::integer as created, 0 as completed, 1 as open
      from known
    union all
    select date_trunc(:interval, greatest(closed_at, :since) at time zone :zone),
           0, (completed_at >= :since)::integer, -1
      from known
     where closed_at < :until
), counted as (
    select local, sum(created) as created, sum(completed) as completed, sum(open) as open from moves group by local
)
select start, coalesce(created, 0) as created, coalesce(completed, 0) as completed,
       coalesce(sum(open) over (order by start), 0) as open
  from buckets left join counted using (local)
 order by start

-- name: suggestions
-- What the assistant suggested, and what became of it.
-- Bounded by the buckets of the span.
with {{buckets}}, counted as (
    select date_trunc(:interval, s.created_at at time zone :zone) as local,
           count(*) as suggested,
           count(*) filter (where s.outcome = 'sent') as sent,
           count(*) filter (where s.outcome = 'edited') as edited,
           count(*) filter (where s.outcome = 'dismissed') as dismissed
      from ai_suggestions s
     where s.user_id = :user_id and s.created_at >= :since and s.created_at < :until
       and (:channel::text is null or exists (
                select from conversations c join channels h using (user_id, channel_id)
                 where c.user_id = s.user_id and c.conversation_id = s.conversation_id and h.type = :channel))
     group by 1
)
select start, coalesce(suggested, 0) as suggested, coalesce(sent, 0) as sent, coalesce(edited, 0) as edited,
       coalesce(dismissed, 0) as dismissed
  from buckets left join counted using (local)
 order by start
