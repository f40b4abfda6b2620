-- Channels: the accounts that a tenant talks through.

-- name: page
-- Newest first, with how they are connected and what their hooks have counted.
select h.channel_id as id, h.type, h.name, h.external_account_id, h.active, h.created_at,
       (select v.last_message_at from conversations v
         where v.user_id = h.user_id and v.channel_id = h.channel_id and v.last_message_at is not null
         order by v.active_at desc, v.conversation_id desc limit 1) as last_message_at,
       k.provider, k.state, k.config, k.error, k.paused_until,
       array(select s.name from connection_secrets s
              where s.user_id = h.user_id and s.channel_id = h.channel_id) as secret_names,
       c.received, c.rejected, c.last_received_at, c.last_rejected_at, c.last_challenge_at, c.last_error
  from channels h
  left join connections k using (user_id, channel_id)
  left join channel_hooks c using (user_id, channel_id)
 where h.user_id = :user_id
   and (:before_at::timestamptz is null or (h.created_at, h.channel_id) < (:before_at, :before_id::uuid))
 order by h.created_at desc, h.channel_id desc
 limit :limit

-- name: get
-- One, likewise.
select h.channel_id as id, h.type, h.name, h.external_account_id, h.active, h.created_at,
       (select v.last_message_at from conversations v
         where v.user_id = h.user_id and v.channel_id = h.channel_id and v.last_message_at is not null
         order by v.active_at desc, v.conversation_id desc limit 1) as last_message_at,
       k.provider, k.state, k.config, k.error, k.paused_until,
       array(select s.name from connection_secrets s
              where s.user_id = h.user_id and s.channel_id = h.channel_id) as secret_names,
       c.received, c.rejected, c.last_received_at, c.last_rejected_at, c.last_challenge_at, c.last_error
  from channels h
  left join connections k using (user_id, channel_id)
  left join channel_hooks c using (user_id, channel_id)
 where h.user_id = :user_id and h.channel_id = :channel_id

-- name: add
-- The constraint channels_account_taken answers a taken account.
insert into channels (user_id, channel_id, type, name, external_account_id, active)
values (:user_id, :channel_id, :type, :name, :external_account_id, :active)

-- name: update
-- What is not given stays.
update channels
   set name                = coalesce(:name, name),
       external_account_id = case when :set_account::boolean then :external_account_id else external_account_id end,
       active              = coalesce(:active, active)
 where user_id = :user_id and channel_id = :channel_id

-- name: remove
-- With its conversations.
delete from channels where user_id = :user_id and channel_id = :channel_id
