drop function app.bus_hold(uuid[], uuid[]);

create or replace function app.scan_overdue(p_now timestamptz, p_limit integer, p_scan uuid) returns table (bucket smallint, found bigint)
language sql volatile security definer set search_path = public, pg_temp
as $$
    with due as (
        select user_id, task_id from tasks
         where status in ('open', 'in_progress') and overdue_announced_at is null and due_at < p_now
         order by due_at limit p_limit
           for update skip locked
    ), marked as (
        update tasks t set overdue_announced_at = p_now from due
         where t.user_id = due.user_id and t.task_id = due.task_id
        returning t.*
    ), told as (
        insert into ai_events (user_id, type, contact_id, conversation_id, task_id, payload)
        select user_id, 'task.overdue', contact_id, conversation_id, task_id,
               jsonb_build_object('title', title, 'due_date', due_at, 'depth', depth)
                   || app.digest_of(user_id, p_scan)
          from marked
        returning bucket
    )
    select bucket, count(*) from told group by bucket
$$;

create or replace function app.record(
    p_user uuid, p_type text, p_contact uuid default null, p_conversation uuid default null,
    p_message uuid default null, p_task uuid default null, p_payload jsonb default '{}'
) returns void
language sql volatile
as $$
    insert into ai_events (user_id, type, contact_id, conversation_id, message_id, task_id, payload)
    values (p_user, p_type, p_contact, p_conversation, p_message, p_task, p_payload)
$$;

revoke update (updated_at) on conversations from alfred_bus;

drop policy conversations_bus_hold on conversations;
