-- Hooks: whose a posted key is, where its items belong, and what was counted.

-- name: find
-- Before anybody's hat is known.
select user_id, channel_id, provider, key_id from app.find_hook(:key_hash)

-- name: connection
-- What a post is checked with, under its tenant's hat.
select app.hook_connection(:user_id, :channel_id)

-- name: channels_of
-- The channels that items may belong to: those of their recipients, and the key's own.
-- Bounded by the accounts given.
select h.channel_id, h.external_account_id, k.provider
  from channels h
  left join connections k using (user_id, channel_id)
 where h.user_id = :user_id
   and h.type = :type
   and (h.external_account_id = any (:accounts::text[]) or h.channel_id = :channel_id)

-- name: adopt_account
-- The first genuine post tells the account of a channel that did not know it; another channel's is left to it.
update channels
   set external_account_id = :account
 where user_id = :user_id
   and channel_id = :channel_id
   and external_account_id is null
   and not exists (
        select from channels o
         where o.user_id = :user_id and o.type = channels.type and o.external_account_id = :account)

-- name: count
-- What a process has counted since it wrote last.
insert into channel_hooks as c (user_id, channel_id, received, rejected, last_received_at, last_rejected_at,
                                last_challenge_at, last_error)
select :user_id, :channel_id, :received::bigint, :rejected::bigint, :last_received_at::timestamptz,
       :last_rejected_at::timestamptz, :last_challenge_at::timestamptz, :last_error::jsonb
 where exists (select from channels h where h.user_id = :user_id and h.channel_id = :channel_id)
    on conflict (user_id, channel_id) do update
       set received          = c.received + excluded.received,
           rejected          = c.rejected + excluded.rejected,
           last_received_at  = greatest(c.last_received_at, excluded.last_received_at),
           last_rejected_at  = greatest(c.last_rejected_at, excluded.last_rejected_at),
           last_challenge_at = greatest(c.last_challenge_at, excluded.last_challenge_at),
           last_error        = coalesce(excluded.last_error, c.last_error)

-- name: hook_only
-- The accounts of a tenant that take posts by their hook alone; null stands for a channel without an account.
-- Bounded by the quota of connections.
select h.type, h.external_account_id as account
  from connections k
  join channels h using (user_id, channel_id)
 where k.user_id = :user_id and (k.options ->> 'hook_only')::boolean
