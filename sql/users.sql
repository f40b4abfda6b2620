-- Users, and what only the authentication role sees of them.

-- name: register
-- The constraint logins_email_taken answers a taken e-mail.
select app.register(:user_id, :name, :email, :email_key, :password_hash, :locale, :timezone, :currency)

-- name: judge_login
-- One row for every e-mail, known or not.
select * from app.judge_login(:email_key, :address, make_interval(secs => :window_seconds))

-- name: login_failed
-- Counted against the e-mail and the address.
select app.login_failed(:email_key, :address)

-- name: me
-- The tenant's own profile.
select user_id as id, name, email, locale, timezone, currency, preferences, created_at
  from users
 where user_id = :user_id

-- name: currency
-- What prices are in, where a contact says nothing else.
select currency from users where user_id = :user_id

-- name: locale
-- The language that a rule is said back in.
select locale from users where user_id = :user_id

-- name: timezone
-- Where a plain date ends.
select timezone from users where user_id = :user_id

-- name: update
-- What is null stays as it is.
update users
   set name       = coalesce(:name, name),
       locale     = coalesce(:locale, locale),
       timezone   = coalesce(:timezone, timezone),
       currency   = coalesce(:currency, currency),
       preferences = coalesce(:preferences, preferences),
       updated_at = now()
 where user_id = :user_id
returning user_id as id, name, email, locale, timezone, currency, preferences, created_at

-- name: login_of
-- What a user proves to be themselves by.
select * from app.login_of(:user_id)

-- name: change_password
-- Ends the other sessions too; false where the user is gone.
select app.change_password(:user_id, :password_hash, :session_id, make_interval(secs => :access_ttl))

-- name: erase_own
-- The tenant and everything in it.
select app.erase_own_user()

-- name: renew_password_hash
-- Of a password that is hashed in its normal form from now on.
select app.renew_password_hash(:user_id, :old, :new)
