-- depends: 0008.search

create table tasks (
    user_id              uuid        not null,
    task_id              uuid        not null,
    title                text        not null,
    description          text,
    status               text        not null default 'open',
    priority             text        not null default 'medium',
    due_at               timestamptz,
    conversation_id      uuid,
    contact_id           uuid,
    depth                smallint    not null default 0,
    completed_at         timestamptz,
    overdue_announced_at timestamptz,
    created_at           timestamptz not null default now(),
    updated_at           timestamptz not null default now(),
    constraint tasks_key primary key (user_id, task_id),
    constraint tasks_status check (status in ('open', 'in_progress', 'done', 'cancelled')),
    constraint tasks_priority check (priority in ('low', 'medium', 'high', 'urgent')),
    constraint tasks_user foreign key (user_id) references users on delete cascade,
    constraint tasks_conversation foreign key (user_id, conversation_id)
        references conversations (user_id, conversation_id) on delete set null (conversation_id),
    constraint tasks_contact foreign key (user_id, contact_id)
        references contacts (user_id, contact_id) on delete cascade
);

comment on column tasks.depth is 'how many rules in a row led to it: rules that call each other end here';

create index tasks_by_age on tasks (user_id, created_at desc, task_id desc);

create index tasks_by_conversation on tasks (user_id, conversation_id);

create index tasks_by_contact on tasks (user_id, contact_id);

-- The index is the queue of the scan: it crosses tenants, so it does not begin with one.
create index tasks_to_announce on tasks (due_at)
 where status in ('open', 'in_progress') and overdue_announced_at is null;

alter table tasks enable row level security;

alter table tasks force row level security;

create policy tasks_own on tasks
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy tasks_scan on tasks to alfred_scan using (true) with check (true);

grant select, insert, update, delete on tasks to alfred_app;

grant select, update on tasks to alfred_scan;

-- The silence that was told of already, by the moment of its last message.
alter table conversations add column stalled_announced_for timestamptz;

create index conversations_to_announce on conversations (last_message_at)
 where status in ('open', 'pending')
   and (stalled_announced_for is null or stalled_announced_for < last_message_at);

create policy conversations_scan on conversations to alfred_scan using (true) with check (true);

grant select, update (stalled_announced_for) on conversations to alfred_scan;

create policy ai_events_scan on ai_events to alfred_scan using (true) with check (true);

grant insert, select (bucket) on ai_events to alfred_scan;

grant usage on sequence ai_events_number to alfred_scan;

-- One replica runs a scan's slot: whoever writes its row first.
create table scan_runs (
    scan       text        not null,
    slot       timestamptz not null,
    started_at timestamptz not null default now(),
    constraint scan_runs_key primary key (scan, slot)
);

alter table scan_runs enable row level security;

alter table scan_runs force row level security;

create policy scan_runs_scan on scan_runs to alfred_scan using (true) with check (true);

grant select, insert, delete on scan_runs to alfred_scan;

grant create on schema app to alfred_scan;

create function app.claim_scan(p_scan text, p_slot timestamptz) returns boolean
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from scan_runs where started_at < now() - interval '7 days';
    insert into scan_runs (scan, slot) values (p_scan, p_slot) on conflict do nothing returning true
$$;

-- Tasks that have lapsed: marked and told in one statement, so each lapse is told once, whoever scans.
create function app.scan_overdue(p_now timestamptz, p_limit integer) returns table (bucket smallint, found bigint)
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
          from marked
        returning bucket
    )
    select bucket, count(*) from told group by bucket
$$;

-- Open conversations in which nobody has written for p_after; each silence is told once.
create function app.scan_stalled(p_now timestamptz, p_after interval, p_limit integer)
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
               jsonb_build_object('last_message_at', last_message_at)
          from marked
        returning bucket
    )
    select bucket, count(*) from told group by bucket
$$;

alter function app.claim_scan(text, timestamptz) owner to alfred_scan;

alter function app.scan_overdue(timestamptz, integer) owner to alfred_scan;

alter function app.scan_stalled(timestamptz, interval, integer) owner to alfred_scan;

revoke create on schema app from alfred_scan;
