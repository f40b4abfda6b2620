-- Channels: the accounts that a tenant talks through.

-- name: page
-- Newest first.
select channel_id as id, type, name, external_account_id, active, created_at
  from channels
 where user_id = :user_id
   and (:before_at::timestamptz is null or (created_at, channel_id) < (:before_at, :before_id::uuid))
 order by created_at desc, channel_id desc
 limit :limit

-- name: get
-- One.
select channel_id as id, type, name, external_account_id, active, created_at
  from channels
 where user_id = :user_id and channel_id = :channel_id

-- name: add
-- The constraint channels_account_taken answers a taken account.
insert into channels (user_id, channel_id, type, name, external_account_id, active)
values (:user_id, :channel_id, :type, :name, :external_account_id, :active)
returning channel_id as id, type, name, external_account_id, active, created_at

-- name: update
-- What is not given stays.
update channels
   set name                = coalesce(:name, name),
       external_account_id = case when :set_account::boolean then :external_account_id else external_account_id end,
       active              = coalesce(:active, active)
 where user_id = :user_id and channel_id = :channel_id
returning channel_id as id, type, name, external_account_id, active, created_at

-- name: remove
-- With its conversations.
delete from channels where user_id = :user_id and channel_id = :channel_id
