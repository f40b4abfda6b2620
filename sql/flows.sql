-- Flows.

-- name: page
-- Newest first.
select flow_id as id, name, description, enabled, definition, created_at, updated_at
  from flows
 where user_id = :user_id
   and (:before_at::timestamptz is null or (created_at, flow_id) < (:before_at, :before_id::uuid))
 order by created_at desc, flow_id desc
 limit :limit

-- name: get
-- One.
select flow_id as id, name, description, enabled, definition, created_at, updated_at
  from flows
 where user_id = :user_id and flow_id = :flow_id

-- name: add
-- A draft may be anything; an enabled one was validated.
insert into flows (user_id, flow_id, name, description, enabled, definition)
values (:user_id, :flow_id, :name, :description, :enabled, :definition)

-- name: update
-- The whole row, as the request left it.
update flows
   set name = :name, description = :description, enabled = :enabled, definition = :definition, updated_at = now()
 where user_id = :user_id and flow_id = :flow_id

-- name: remove
-- What it has suggested stays in the log.
delete from flows where user_id = :user_id and flow_id = :flow_id

-- name: enabled
-- Oldest first, of at most as many as a tenant may have.
-- Bounded by the quotas of flows and of their size.
select flow_id, name, definition::text as definition
  from flows
 where user_id = :user_id and enabled
 order by created_at, flow_id

-- name: suggestions
-- What the flows suggested for the last message that any of them knew a way for.
with latest as (
    select message_id
      from ai_events
     where user_id = :user_id and conversation_id = :conversation_id and type = 'flow.matched'
     order by number desc
     limit 1
)
select e.event_id as id, e.message_id, e.payload, e.created_at
  from ai_events e
  join latest using (message_id)
 where e.user_id = :user_id and e.conversation_id = :conversation_id and e.type = 'flow.matched'
 order by e.number
 limit 100
