-- How much one tenant has of what is bounded.

-- name: hold
-- Who makes one more waits for whoever makes another: they are counted one after the other.
select pg_advisory_xact_lock(hashtextextended(concat_ws(' ', 'quota', :kind::text, :user_id::uuid), 0))

-- name: count_tokens
-- Of its own.
select count(*) from api_tokens where user_id = :user_id

-- name: count_rules
-- Of its own.
select count(*) from rules where user_id = :user_id

-- name: count_flows
-- Of its own.
select count(*) from flows where user_id = :user_id
