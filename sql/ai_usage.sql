-- What the assistant was asked, and what it cost: sums by day of UTC.

-- name: tokens_today
-- In and out, of all features.
select coalesce(sum(input_tokens + output_tokens), 0)::bigint
  from ai_usage
 where user_id = :user_id and day = (now() at time zone 'utc')::date
