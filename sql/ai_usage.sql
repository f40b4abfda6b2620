-- What the assistant was asked, and what it cost: sums by day of UTC.

-- name: add
-- One more answer.
insert into ai_usage as u (user_id, day, provider, feature, calls, degraded, input_tokens, output_tokens, milliseconds, cost)
values (:user_id, (now() at time zone 'utc')::date, :provider, :feature, 1, :degraded::boolean::integer, :input_tokens,
        :output_tokens, :milliseconds, :cost)
    on conflict (user_id, day, provider, feature) do update
       set calls         = u.calls + 1,
           degraded      = u.degraded + excluded.degraded,
           input_tokens  = u.input_tokens + excluded.input_tokens,
           output_tokens = u.output_tokens + excluded.output_tokens,
           milliseconds  = u.milliseconds + excluded.milliseconds,
           cost          = coalesce(u.cost + excluded.cost, u.cost, excluded.cost)


-- name: by_day
-- From a day to a day, both included, the newest first.
-- Bounded by the days that may be asked for, each with a few providers and features.
select day, provider, feature, calls, degraded, input_tokens, output_tokens, cost,
       case when calls > 0 then milliseconds / calls else 0 end as average_ms
  from ai_usage
 where user_id = :user_id and day between :first_day and :last_day
 order by day desc, provider, feature
