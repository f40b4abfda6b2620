-- API tokens, and the answers kept for repeated requests.

-- name: page
-- Newest first.
select token_id as id, name, hint, scopes, expires_at, last_used_at, created_at
  from api_tokens
 where user_id = :user_id
   and (:before_at::timestamptz is null or (created_at, token_id) < (:before_at, :before_id::uuid))
 order by created_at desc, token_id desc
 limit :limit

-- name: add
-- What its owner sees of it.
insert into api_tokens (user_id, token_id, name, hint, scopes, expires_at)
values (:user_id, :token_id, :name, :hint, :scopes,
        least(:expires_at::timestamptz,
              (select m.expires_at from api_tokens m where m.user_id = :user_id and m.token_id = :made_by::uuid)))
returning token_id as id, name, hint, scopes, expires_at, last_used_at, created_at

-- name: add_hash
-- What a look-up finds it by.
insert into api_token_hashes (token_hash, user_id, token_id) values (:token_hash, :user_id, :token_id)

-- name: remove
-- The hash goes with it.
delete from api_tokens where user_id = :user_id and token_id = :token_id

-- name: find
-- Whose it is, if it is good now.
select * from app.find_token(:token_hash)

-- name: sweep_keys
-- Those that nobody may repeat any more, a few at a time.
delete from idempotency_keys
 where user_id = :user_id
   and (path, key) in (
        select path, key
          from idempotency_keys
         where user_id = :user_id and claimed_at < now() - interval '24 hours'
         order by claimed_at
         limit 20
           for update skip locked)

-- name: claim_key
-- True for whoever may run the request: the first, or the next after a day or after a claim that died.
insert into idempotency_keys as k (user_id, path, key, body_hash, claim_id)
values (:user_id, :path, :key, :body_hash, :claim_id)
    on conflict (user_id, path, key) do update
       set body_hash = excluded.body_hash, claim_id = excluded.claim_id, claimed_at = clock_timestamp(),
           status = null, headers = null, answer = null
     where k.claimed_at < now() - interval '24 hours'
        or (k.status is null and k.claimed_at < now() - interval '60 seconds')
returning true

-- name: kept_answer
-- Locked: a replayed answer comes from a transaction that waited for a synchronous standby too.
select body_hash, status, headers, answer
  from idempotency_keys
 where user_id = :user_id and path = :path and key = :key
   for no key update

-- name: keep_answer
-- Only by whoever still holds the claim.
update idempotency_keys
   set status = :status, headers = :headers, answer = :answer
 where user_id = :user_id and path = :path and key = :key and claim_id = :claim_id

-- name: forget_claim
-- What failed on our side may be tried again.
delete from idempotency_keys
 where user_id = :user_id and path = :path and key = :key and claim_id = :claim_id
