-- depends: 0021.lost_posts

-- Of whom a scan finds more than 20 at once: they are told of all of them together.
create table scan_digests (
    user_id    uuid        not null,
    scan_id    uuid        not null,
    type       text        not null,
    count      integer     not null,
    ids        uuid[]      not null,
    created_at timestamptz not null default now(),
    constraint scan_digests_key primary key (user_id, scan_id),
    constraint scan_digests_type check (type in ('overdue_task', 'stalled_lead')),
    constraint scan_digests_user foreign key (user_id) references users on delete cascade
);

comment on column scan_digests.ids is 'the first 20 conversations or tasks';

alter table scan_digests enable row level security;

alter table scan_digests force row level security;

create policy scan_digests_own on scan_digests
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy scan_digests_scan on scan_digests to alfred_scan using (true) with check (true);

create policy scan_digests_bus on scan_digests for select to alfred_bus using (true);

grant select, insert, update, delete on scan_digests to alfred_app;

grant select, insert, delete on scan_digests to alfred_scan;

grant select on scan_digests to alfred_bus;

create policy notifications_digest on notifications for update to alfred_bus using (true) with check (true);

grant update (count, ids) on notifications to alfred_bus;

grant create on schema app to alfred_scan, alfred_bus;

-- At the start of a scan, before it marks anything.
create function app.begin_overdue(p_now timestamptz, p_scan uuid) returns bigint
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from scan_digests where created_at < now() - interval '7 days';
    with due as (
        insert into scan_digests (user_id, scan_id, type, count, ids)
        select user_id, p_scan, 'overdue_task', count(*), (array_agg(task_id order by due_at))[1:20] from tasks
         where status in ('open', 'in_progress') and overdue_announced_at is null and due_at < p_now
         group by user_id having count(*) > 20
        returning 1
    )
    select count(*) from due
$$;

create function app.begin_stalled(p_now timestamptz, p_after interval, p_scan uuid) returns bigint
language sql volatile security definer set search_path = public, pg_temp
as $$
    with silent as (
        insert into scan_digests (user_id, scan_id, type, count, ids)
        select user_id, p_scan, 'stalled_lead', count(*), (array_agg(conversation_id order by last_message_at))[1:20]
          from conversations
         where status in ('open', 'pending') and last_message_at < p_now - p_after
           and (stalled_announced_for is null or stalled_announced_for < last_message_at)
         group by user_id having count(*) > 20
        returning 1
    )
    select count(*) from silent
$$;

-- What the events of a scan say where they are told together.
create function app.digest_of(p_user uuid, p_scan uuid) returns jsonb
language sql stable
as $$
    select case when exists (select from scan_digests where user_id = p_user and scan_id = p_scan)
                then jsonb_build_object('digest', p_scan) else '{}' end
$$;

-- Tasks that have lapsed: marked and told in one statement, so each lapse is told once, whoever scans.
create function app.scan_overdue(p_now timestamptz, p_limit integer, p_scan uuid) returns table (bucket smallint, found bigint)
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

-- Open conversations in which nobody has written for p_after; each silence is told once.
create function app.scan_stalled(p_now timestamptz, p_after interval, p_limit integer, p_scan uuid)
returns table (bucket smallint, found bigint)
language sql volatile security definer set search_path = public, pg_temp
as $$
    with silent as (
        select user_id, conversation_id from conversations
         where status in ('open', 'pending') and last_message_at < p_now - p_after
           and (stalled_announced_for is null or stalled_announced_for < last_message_at)
         order by last_message_at limit p_limit
           for update skip locked
    ), marked as (
        update conversations c set stalled_announced_for = c.last_message_at from silent
         where c.user_id = silent.user_id and c.conversation_id = silent.conversation_id
        returning c.*
    ), told as (
        insert into ai_events (user_id, type, contact_id, conversation_id, payload)
        select user_id, 'lead.stalled', contact_id, conversation_id,
               jsonb_build_object('last_message_at', last_message_at) || app.digest_of(user_id, p_scan)
          from marked
        returning bucket
    )
    select bucket, count(*) from told group by bucket
$$;

-- Notifications of many at once, for several tenants. Those of a scan know how many it found; those of a rule grow with
-- each match.
create function app.bus_announce_digests(p_notifications jsonb) returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_count bigint;
begin
    with told as (
        select n.user_id, n.type, n.dedupe_key, n.title, n.rule_id, coalesce(d.count, n.count) as count,
               coalesce(d.ids, n.ids) as ids, n.rule_id is not null as grows
          from jsonb_to_recordset(p_notifications) as n (
                user_id uuid, type text, dedupe_key text, title text, rule_id uuid, count integer, ids uuid[], digest uuid)
          left join scan_digests d on d.user_id = n.user_id and d.scan_id = n.digest and n.rule_id is null
         where exists (select from users u where u.user_id = n.user_id)
    ), grown as (
        update notifications n
           set count = n.count + t.count, ids = (n.ids || t.ids)[1:20]
          from told t
         where t.grows and n.user_id = t.user_id and n.dedupe_key = t.dedupe_key
        returning n.user_id, n.dedupe_key
    ), made as (
        insert into notifications (user_id, type, dedupe_key, title, rule_id, count, ids)
        select t.user_id, t.type, t.dedupe_key, replace(t.title, '{count}', t.count::text), t.rule_id, t.count, t.ids
          from told t
         where not exists (select from grown g where g.user_id = t.user_id and g.dedupe_key = t.dedupe_key)
            on conflict (user_id, dedupe_key) do nothing
        returning user_id, notification_id, type
    )
    insert into ai_events (user_id, type, payload)
    select m.user_id, 'notification.created', jsonb_build_object('notification_id', m.notification_id, 'type', m.type)
      from made m;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

alter function app.begin_overdue(timestamptz, uuid) owner to alfred_scan;

alter function app.begin_stalled(timestamptz, interval, uuid) owner to alfred_scan;

alter function app.scan_overdue(timestamptz, integer, uuid) owner to alfred_scan;

alter function app.scan_stalled(timestamptz, interval, integer, uuid) owner to alfred_scan;

alter function app.bus_announce_digests(jsonb) owner to alfred_bus;

revoke create on schema app from alfred_scan, alfred_bus;

revoke execute on function app.bus_announce_digests(jsonb) from public;

grant execute on function app.bus_announce_digests(jsonb) to alfred_app;
