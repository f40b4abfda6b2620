-- Posts to the webhooks that were refused and come no more.

-- name: owner_of_token
-- Whose it is, also after it has expired.
select app.owner_of_token(:token_hash)

-- name: count
-- Locked, so that of several replicas one tells.
insert into lost_posts as l (user_id, unauthorized, not_found, too_large)
values (:user_id, :unauthorized, :not_found, :too_large)
    on conflict (user_id) do update
   set unauthorized = l.unauthorized + excluded.unauthorized,
       not_found    = l.not_found + excluded.not_found,
       too_large    = l.too_large + excluded.too_large
returning unauthorized, not_found, too_large, since,
          coalesce(told_at < now() - make_interval(secs => :pause_seconds), true) as is_due

-- name: told
-- Counted anew from now on.
update lost_posts
   set unauthorized = 0, not_found = 0, too_large = 0, since = now(), told_at = now()
 where user_id = :user_id
