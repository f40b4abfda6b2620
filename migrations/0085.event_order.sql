-- depends: 0084.narrow_keys

-- Within a conversation events are in the order of the log: whoever records one holds the conversation before its number
-- is drawn, and until it can be seen.
create policy conversations_bus_hold on conversations for update to alfred_bus using (true) with check (true);

grant update (updated_at) on conversations to alfred_bus;

create or replace function app.record(
    p_user uuid, p_type text, p_contact uuid default null, p_conversation uuid default null,
    p_message uuid default null, p_task uuid default null, p_payload jsonb default '{}'
) returns void
language plpgsql volatile
as $$
begin
    if p_conversation is not null then
        perform from conversations where user_id = p_user and conversation_id = p_conversation for no key update;
    end if;
    insert into ai_events (user_id, type, contact_id, conversation_id, message_id, task_id, payload)
    values (p_user, p_type, p_contact, p_conversation, p_message, p_task, p_payload);
end $$;

grant create on schema app to alfred_bus;

-- Locks conversations without waiting; those of them that somebody else holds.
create function app.bus_hold(p_users uuid[], p_conversations uuid[]) returns setof uuid
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
begin
    return query
        with asked as materialized (
            select distinct * from unnest(p_users, p_conversations) as e (user_id, conversation_id)
        ), held as materialized (
            select c.user_id, c.conversation_id
              from asked join conversations c using (user_id, conversation_id)
               for no key update of c skip locked
        )
        select c.conversation_id
          from asked join conversations c using (user_id, conversation_id)
         where (c.user_id, c.conversation_id) not in (select user_id, conversation_id from held);
end $$;

alter function app.bus_hold(uuid[], uuid[]) owner to alfred_bus;

revoke execute on function app.bus_hold(uuid[], uuid[]) from public;

grant execute on function app.bus_hold(uuid[], uuid[]) to alfred_bus_app, alfred_app;

revoke create on schema app from alfred_bus;

-- Tasks that have lapsed: marked and told in one statement, so each lapse is told once, whoever scans. One whose
-- conversation somebody holds is left to the next look.
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
$$;
