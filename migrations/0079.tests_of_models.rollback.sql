-- What tests spent stays counted, with what was read once more.
alter table ai_usage no force row level security;

insert into ai_usage as u (user_id, day, provider, feature, calls, degraded, input_tokens, output_tokens, milliseconds, cost)
select user_id, day, provider, 'refine', calls, degraded, input_tokens, output_tokens, milliseconds, cost
  from ai_usage
 where feature = 'test'
    on conflict (user_id, day, provider, feature) do update
       set calls         = u.calls + excluded.calls,
           degraded      = u.degraded + excluded.degraded,
           input_tokens  = u.input_tokens + excluded.input_tokens,
           output_tokens = u.output_tokens + excluded.output_tokens,
           milliseconds  = u.milliseconds + excluded.milliseconds,
           cost          = coalesce(u.cost + excluded.cost, u.cost, excluded.cost);

delete from ai_usage where feature = 'test';

alter table ai_usage force row level security;

alter table ai_usage
    drop constraint ai_usage_feature,
    add constraint ai_usage_feature check (feature in ('reply', 'price', 'follow_up', 'refine'));
