-- depends: 0090.told_by_message

-- Tasks that have lapsed: marked and told in one statement, so each lapse is told once, whoever scans. One whose
-- conversation somebody holds is passed over, which a row that counts none tells.
create or replace function app.scan_overdue(p_now timestamptz, p_limit integer, p_scan uuid) returns table (bucket smallint, found bigint)
language sql volatile security definer set search_path = public, pg_temp
as $$
    with due as materialized (
        select user_id, task_id, conversation_id from tasks
         where status in ('open', 'in_progress') and overdue_announced_at is null and due_at < p_now
         order by due_at limit p_limit
           for update skip locked
    ), held as materialized (
        select user_id, conversation_id from conversations
         where (user_id, conversation_id) in (select user_id, conversation_id from due)
           for no key update skip locked
    ), marked as (
        update tasks t set overdue_announced_at = p_now from due
         where t.user_id = due.user_id and t.task_id = due.task_id
           and (due.conversation_id is null
                or (due.user_id, due.conversation_id) in (select user_id, conversation_id from held))
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
     union all
    select 0::smallint, 0 where (select count(*) from due) > (select count(*) from marked)
$$;
