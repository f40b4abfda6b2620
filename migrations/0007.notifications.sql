-- depends: 0006.ingest

-- Only the bus writes here, one transaction at a time for a tenant's bucket:
-- so `number` follows commits, and "after this number" has no gap.
create sequence notifications_number;

create table notifications (
    user_id         uuid        not null,
    notification_id uuid        not null default app.uuid7(),
    number          bigint      not null default nextval('notifications_number'),
    type            text        not null,
    dedupe_key      text        not null,
    title           text        not null,
    body            text        not null default '',
    seen_at         timestamptz,
    contact_id      uuid,
    conversation_id uuid,
    message_id      uuid,
    task_id         uuid,
    rule_id         uuid,
    created_at      timestamptz not null default now(),
    constraint notifications_key primary key (user_id, notification_id),
    constraint notifications_once unique (user_id, dedupe_key),
    constraint notifications_type check (type in ('urgent_message', 'overdue_task', 'stalled_lead', 'rule_match')),
    constraint notifications_contact foreign key (user_id, contact_id)
        references contacts (user_id, contact_id) on delete cascade,
    constraint notifications_user foreign key (user_id) references users on delete cascade
);

create unique index notifications_by_number on notifications (user_id, number desc);

create index notifications_unseen on notifications (user_id) where seen_at is null;

create index notifications_by_contact on notifications (user_id, contact_id);

alter table notifications enable row level security;

alter table notifications force row level security;

create policy notifications_own on notifications
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy notifications_bus on notifications for select to alfred_bus using (true);

grant select, insert, update (seen_at), delete on notifications to alfred_app;

grant usage on sequence notifications_number to alfred_app;

grant select on notifications to alfred_bus;

-- What the live streams of this process have not shown yet: one look for all users who are connected.
create function app.notifications_after(p_users uuid[], p_numbers bigint[], p_limit integer) returns setof notifications
language sql stable security definer set search_path = public, pg_temp
as $$
    select n.* from unnest(p_users, p_numbers) as w (user_id, number)
     cross join lateral (
        select * from notifications n where n.user_id = w.user_id and n.number > w.number
         order by n.number limit p_limit
     ) n
     order by n.user_id, n.number
$$;

alter function app.notifications_after(uuid[], bigint[], integer) owner to alfred_bus;

-- A ticket opens one stream for a browser, which cannot send a header: single use, one minute.
create table stream_tickets (
    ticket_hash bytea       not null,
    user_id     uuid        not null,
    expires_at  timestamptz not null,
    constraint stream_tickets_key primary key (ticket_hash),
    constraint stream_tickets_user foreign key (user_id) references users on delete cascade
);

create index stream_tickets_by_user on stream_tickets (user_id);

alter table stream_tickets enable row level security;

alter table stream_tickets force row level security;

create policy stream_tickets_service on stream_tickets to alfred_auth using (true) with check (true);

grant select, insert, delete on stream_tickets to alfred_auth;

create function app.issue_ticket(p_user uuid, p_ticket_hash bytea, p_expires_at timestamptz) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from stream_tickets where user_id = p_user and expires_at < now();
    insert into stream_tickets (ticket_hash, user_id, expires_at) values (p_ticket_hash, p_user, p_expires_at);
$$;

create function app.redeem_ticket(p_ticket_hash bytea) returns uuid
language sql volatile security definer set search_path = public, pg_temp
as $$
    with spent as (delete from stream_tickets where ticket_hash = p_ticket_hash returning user_id, expires_at)
    select user_id from spent where expires_at > now()
$$;

alter function app.issue_ticket(uuid, bytea, timestamptz) owner to alfred_auth;

alter function app.redeem_ticket(bytea) owner to alfred_auth;

-- Payloads that could not be read, kept whole with the reason.
create table rejected_webhooks (
    user_id      uuid        not null,
    rejected_id  uuid        not null,
    channel_type text        not null,
    content_type text        not null,
    body         bytea       not null,
    reason       text        not null,
    attempts     integer     not null default 1,
    created_at   timestamptz not null default now(),
    constraint rejected_webhooks_key primary key (user_id, rejected_id),
    constraint rejected_webhooks_user foreign key (user_id) references users on delete cascade
);

alter table rejected_webhooks enable row level security;

alter table rejected_webhooks force row level security;

create policy rejected_webhooks_own on rejected_webhooks
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on rejected_webhooks to alfred_app;

create index rejected_webhooks_by_age on rejected_webhooks (user_id, created_at desc, rejected_id desc);
