-- Connections: how channels reach their messengers, and the keys of their hooks.

-- name: get
-- With what its hook has counted.
select k.channel_id, h.type, k.provider, k.state, k.config, k.options, k.error, k.paused_until, k.created_at, k.updated_at,
       c.received, c.rejected, c.last_received_at, c.last_rejected_at, c.last_challenge_at, c.last_error
  from connections k
  join channels h using (user_id, channel_id)
  left join channel_hooks c using (user_id, channel_id)
 where k.user_id = :user_id and k.channel_id = :channel_id

-- name: whole
-- With its secrets, as they are encrypted, and its newest key: for one call, in one round-trip.
select app.connection_of(:user_id, :channel_id)

-- name: channel_to_connect
-- Locked: two PUTs at once must not mix their secrets.
select h.channel_id, h.type, h.name, h.external_account_id, k.provider, k.config, k.state
  from channels h
  left join connections k using (user_id, channel_id)
 where h.user_id = :user_id and h.channel_id = :channel_id
   for no key update of h

-- name: put
-- All of it is new; the secrets and keys are written by their own queries.
-- A pause that the messenger has asked for ends with the account that it was asked of.
insert into connections (user_id, channel_id, provider, config, options)
values (:user_id, :channel_id, :provider, :config, :options)
    on conflict (user_id, channel_id) do update
       set provider = excluded.provider, config = excluded.config, options = excluded.options, state = 'untested',
           error = null, failures = 0, failing_since = null, updated_at = now(),
           paused_until = case when :same_account then connections.paused_until end,
           pauses = case when :same_account then connections.pauses else 0 end

-- name: remove
-- Secrets and keys go with it.
delete from connections where user_id = :user_id and channel_id = :channel_id

-- name: forget_deliveries
-- What waits is queued as if the channel never had been connected.
select app.forget_deliveries(:user_id, :channel_id)

-- name: bind_account
-- The constraint channels_account_taken answers another channel's account.
update channels set external_account_id = :account where user_id = :user_id and channel_id = :channel_id

-- name: secrets
-- Encrypted.
-- Bounded by the few credentials of a provider.
select name, sealed, updated_at
  from connection_secrets
 where user_id = :user_id and channel_id = :channel_id

-- name: put_secret
-- A new value, or an old one under a new key.
insert into connection_secrets (user_id, channel_id, name, sealed)
values (:user_id, :channel_id, :name, :sealed)
    on conflict (user_id, channel_id, name) do update set sealed = excluded.sealed, updated_at = now()

-- name: remove_secrets
-- All but those that are kept.
delete from connection_secrets
 where user_id = :user_id and channel_id = :channel_id and not name = any (:kept::text[])

-- name: keys
-- The good ones, newest first.
-- Bounded by what a rotation leaves.
select channel_id, key_id, key_hash, sealed, provider, created_at, expires_at
  from hook_keys
 where user_id = :user_id and channel_id = :channel_id and (expires_at is null or expires_at > now())
 order by created_at desc, key_id desc

-- name: add_key
-- A fresh path.
insert into hook_keys (key_hash, user_id, channel_id, key_id, provider, sealed)
values (:key_hash, :user_id, :channel_id, :key_id, :provider, :sealed)

-- name: expire_keys
-- What a rotation leaves behind works a while longer, and until when; what is over goes, and so do the oldest of many.
with newest as (
    select key_id
      from hook_keys
     where user_id = :user_id and channel_id = :channel_id and (expires_at is null or expires_at > now())
     order by created_at desc, key_id desc
     limit :most
), gone as (
    delete from hook_keys
     where user_id = :user_id and channel_id = :channel_id and key_id <> all (select key_id from newest)
), left_behind as (
    update hook_keys
       set expires_at = least(expires_at, now() + make_interval(secs => :grace_seconds))
     where user_id = :user_id and channel_id = :channel_id and key_id <> :newest_id
       and key_id in (select key_id from newest)
)
select now() + make_interval(secs => :grace_seconds)

-- name: move_keys
-- Another inbound service of a mail channel: the same keys under its name.
update hook_keys set provider = :provider where user_id = :user_id and channel_id = :channel_id

-- name: remove_keys
-- Another provider: all is new.
delete from hook_keys where user_id = :user_id and channel_id = :channel_id

-- name: settle_test
-- What a test found out. That the account answers ends no pause that it has asked for.
update connections
   set state = :state, error = :error
 where user_id = :user_id and channel_id = :channel_id

-- name: users_with_secrets
-- Whose secrets are encrypted anew.
-- Bounded by ids of users, for the operator's command alone.
select user_id from app.users_with_secrets()

-- name: all_secrets
-- Of one user, to be encrypted anew.
-- Bounded by the quota of connections.
select channel_id, name, sealed from connection_secrets where user_id = :user_id for update

-- name: all_keys
-- Of one user, likewise.
-- Bounded by the quota of connections.
select key_hash, channel_id, sealed from hook_keys where user_id = :user_id for update

-- name: reseal_secret
-- The same secret under the first key; it is no new one.
update connection_secrets set sealed = :sealed
 where user_id = :user_id and channel_id = :channel_id and name = :name

-- name: reseal_key
-- Likewise.
update hook_keys set sealed = :sealed where user_id = :user_id and key_hash = :key_hash
