-- Sessions: families of refresh tokens, which one log in begins.

-- name: start
-- The first token of a new one; durations are seconds.
select app.start_session(:user_id, :session_id, :token_hash, make_interval(secs => :ttl),
                         make_interval(secs => :max_age), :cookie, :user_agent, :address)

-- name: renew
-- Spends one token for the next; a spent one ends the session, unless it is a cookie's of a moment ago.
select * from app.renew_session(:old_hash, :new_hash, make_interval(secs => :ttl), make_interval(secs => :max_age),
                                :cookie, make_interval(secs => :grace))

-- name: end_by_token
-- Logging out.
select app.end_session(:token_hash)

-- name: holds
-- Whether an access token of it may still be used.
select app.session_holds(:user_id, :session_id)

-- name: page
-- Those that go on, newest first.
select session_id as id, user_agent, address, created_at, last_used_at
  from sessions
 where user_id = :user_id
   and ended_at is null and expires_at > now() and ends_at > now()
   and (:before_at::timestamptz is null or (created_at, session_id) < (:before_at, :before_id::uuid))
 order by created_at desc, session_id desc
 limit :limit

-- name: end_own
-- True if it was there and went on.
select app.end_own_session(:session_id)
