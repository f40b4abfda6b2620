-- The model from outside that a tenant has asked for.

-- name: get
-- With its key, encrypted, and the tokens that the day of UTC has taken, in and out, of all features.
select kind, base_url, model, features, daily_tokens, language, sealed, secret_updated_at, created_at, updated_at,
       (select coalesce(sum(input_tokens + output_tokens), 0)::bigint
          from ai_usage
         where user_id = :user_id and day = (now() at time zone 'utc')::date) as tokens_today
  from ai_providers
 where user_id = :user_id

-- name: lock
-- Two PUTs at once must not mix one's address with the other's key.
select kind, base_url, sealed from ai_providers where user_id = :user_id for update

-- name: put
-- All of it is new but a key that is kept.
insert into ai_providers (user_id, kind, base_url, model, features, daily_tokens, language, sealed, secret_updated_at)
values (:user_id, :kind, :base_url, :model, :features, :daily_tokens, :language, :sealed,
        case when :sealed::bytea is not null then now() end)
    on conflict (user_id) do update
       set kind = excluded.kind, base_url = excluded.base_url, model = excluded.model, features = excluded.features,
           daily_tokens = excluded.daily_tokens, language = excluded.language, updated_at = now(),
           sealed = case when :keep_key::boolean then ai_providers.sealed else excluded.sealed end,
           secret_updated_at = case when :keep_key::boolean then ai_providers.secret_updated_at
                                    else excluded.secret_updated_at end

-- name: remove
-- Its key goes with it.
delete from ai_providers where user_id = :user_id

-- name: users_with_keys
-- Whose keys are encrypted anew.
-- Bounded by ids of users, for the operator's command alone.
select user_id from app.users_with_models()

-- name: reseal
-- The old key under a new one; it was not changed.
update ai_providers set sealed = :sealed where user_id = :user_id
