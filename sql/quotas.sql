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

-- name: count_channels
-- Of its own.
select count(*) from channels where user_id = :user_id

-- name: count_connections
-- Of its own.
select count(*) from connections where user_id = :user_id

-- name: size_of_rules
-- Bytes as stored, and 50 more for each value that is asked for: each message is tried on all of them.
select coalesce(sum(octet_length(whole) + 50 * (length(asked) - length(replace(asked, ',', '')))), 0)::bigint
  from rules, lateral (select compiled::text as whole, compiled ->> 'when' as asked) as texts
 where user_id = :user_id

-- name: size_of_flows
-- The same of flows.
select coalesce(sum(octet_length(whole) + 50 * (length(whole) - length(replace(whole, ',', '')))), 0)::bigint
  from flows, lateral (select definition::text as whole) as texts
 where user_id = :user_id
