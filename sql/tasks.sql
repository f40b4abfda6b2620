-- Tasks.

-- name: page
-- Newest first.
select task_id as id, title, description, status, priority, due_at as due_date, conversation_id, contact_id,
       status in ('open', 'in_progress') and due_at < :now as overdue, completed_at, created_at, updated_at
  from tasks
 where user_id = :user_id
   and (:status::text is null or status = :status)
   and (:priority::text is null or priority = :priority)
   and (:conversation_id::uuid is null or conversation_id = :conversation_id)
   and (:contact_id::uuid is null or contact_id = :contact_id)
   and (:overdue::boolean is null
        or coalesce(status in ('open', 'in_progress') and due_at < :now::timestamptz, false) = :overdue)
   and (:due_before::timestamptz is null or due_at < :due_before)
   and (:due_after::timestamptz is null or due_at > :due_after)
   and (:before_at::timestamptz is null or (created_at, task_id) < (:before_at, :before_id::uuid))
 order by created_at desc, task_id desc
 limit :limit

-- name: get
-- One, in the shape of the list.
select task_id as id, title, description, status, priority, due_at as due_date, conversation_id, contact_id,
       status in ('open', 'in_progress') and due_at < :now::timestamptz as overdue, completed_at, created_at, updated_at
  from tasks
 where user_id = :user_id and task_id = :task_id

-- name: add
-- Without a contact of its own it has that of its conversation.
insert into tasks (user_id, task_id, title, description, status, priority, due_at, conversation_id, contact_id, depth,
                   completed_at)
values (:user_id, :task_id, :title, :description, :status, :priority, :due_at, :conversation_id,
        coalesce(:contact_id, (select contact_id from conversations
                                where user_id = :user_id and conversation_id = :conversation_id)),
        :depth, case when :status = 'done' then now() end)
returning contact_id

-- name: hold_conversations
-- Locked before the task: the one that it is about, and the one that it is to be about.
select conversation_id
  from conversations
 where user_id = :user_id
   and (conversation_id = :conversation_id
        or conversation_id = (select conversation_id from tasks where user_id = :user_id and task_id = :task_id))
 order by conversation_id
   for no key update

-- name: hold
-- Locked for a change of what is read first.
select title, description, status, priority, due_at, conversation_id, contact_id
  from tasks
 where user_id = :user_id and task_id = :task_id
   for no key update

-- name: update
-- Rescheduled, it may lapse again.
update tasks
   set title                = :title,
       description          = :description,
       priority             = :priority,
       conversation_id      = :conversation_id,
       contact_id           = :contact_id,
       overdue_announced_at = case when due_at is not distinct from :due_at then overdue_announced_at end,
       due_at               = :due_at,
       completed_at         = case when :status <> 'done' then null else coalesce(completed_at, now()) end,
       status               = :status,
       updated_at           = now()
 where user_id = :user_id and task_id = :task_id

-- name: remove
-- For good.
delete from tasks where user_id = :user_id and task_id = :task_id
