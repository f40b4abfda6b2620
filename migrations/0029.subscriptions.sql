-- depends: 0028.log_beginning

-- Subscriptions: URLs that are sent what happens, signed. Roles belong to the cluster: another database may have it.
do $$
begin
    if not exists (select from pg_roles where rolname = 'alfred_deliver') then
        create role alfred_deliver nologin;
    end if;
exception when duplicate_object or unique_violation then
    null;
end $$;

do $$
begin
    if not pg_has_role(current_user, 'alfred_deliver', 'usage') then
        grant alfred_deliver to current_user;
    end if;
end $$;

grant usage on schema app to alfred_deliver;

create table subscriptions (
    user_id             uuid        not null,
    subscription_id     uuid        not null,
    url                 text        not null,
    events              text[]      not null,
    description         text,
    header_names        text[]      not null default '{}',
    headers             bytea,
    secret              bytea       not null,
    previous_secret     bytea,
    previous_expires_at timestamptz,
    ordered             boolean     not null default false,
    enabled             boolean     not null default true,
    disabled_reason     text,
    disabled_at         timestamptz,
    last_success_at     timestamptz,
    last_failure_at     timestamptz,
    failing_since       timestamptz,
    consecutive_failures integer    not null default 0,
    created_by_id       uuid,
    created_by_name     text,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    constraint subscriptions_key primary key (user_id, subscription_id),
    constraint subscriptions_disabled_reason check (disabled_reason in ('by_user', 'gone', 'failing')),
    constraint subscriptions_user foreign key (user_id) references users on delete cascade
) with (fillfactor = 80);

comment on column subscriptions.headers is 'encrypted, like the secrets: a JSON object of names and values';

create index subscriptions_by_age on subscriptions (user_id, created_at desc, subscription_id desc);

create index subscriptions_enabled on subscriptions (user_id) where enabled;

-- Ids that were deleted, so that deleting one twice is no error.
create table subscription_tombstones (
    user_id         uuid        not null,
    subscription_id uuid        not null,
    deleted_at      timestamptz not null default now(),
    constraint subscription_tombstones_key primary key (user_id, subscription_id),
    constraint subscription_tombstones_user foreign key (user_id) references users on delete cascade
);

-- When a subscription has something to send: the queue of queues. A row of its own, since consumers lock it.
create table webhook_lanes (
    user_id         uuid        not null,
    subscription_id uuid        not null,
    next_at         timestamptz,
    paused_until    timestamptz,
    pauses          integer     not null default 0,
    constraint webhook_lanes_key primary key (user_id, subscription_id),
    constraint webhook_lanes_subscription foreign key (user_id, subscription_id)
        references subscriptions (user_id, subscription_id) on delete cascade
) with (fillfactor = 50);

create index webhook_lanes_next on webhook_lanes (next_at) where next_at is not null;

-- What is sent, made once: every attempt and replay sends the same bytes. It goes with the person, the conversation or
-- the message that it tells of. No key leads to the contact: a merge moves what the contact has.
create table webhook_bodies (
    user_id         uuid        not null,
    event_id        uuid        not null,
    type            text        not null,
    contact_id      uuid,
    conversation_id uuid,
    message_id      uuid,
    body            text        not null,
    created_at      timestamptz not null default now(),
    constraint webhook_bodies_key primary key (user_id, event_id),
    constraint webhook_bodies_user foreign key (user_id) references users on delete cascade,
    constraint webhook_bodies_conversation foreign key (user_id, conversation_id)
        references conversations (user_id, conversation_id) on delete cascade,
    constraint webhook_bodies_message foreign key (user_id, message_id)
        references messages (user_id, message_id) on delete cascade
);

create index webhook_bodies_by_contact on webhook_bodies (user_id, contact_id);

create index webhook_bodies_by_conversation on webhook_bodies (user_id, conversation_id);

create index webhook_bodies_by_message on webhook_bodies (user_id, message_id);

create index webhook_bodies_by_age on webhook_bodies (created_at);

create table webhook_deliveries (
    user_id         uuid        not null,
    delivery_id     uuid        not null,
    subscription_id uuid        not null,
    event_id        uuid        not null,
    type            text        not null,
    number          bigint      not null,
    state           text        not null default 'waiting',
    attempts        integer     not null default 0,
    due_at          timestamptz not null default now(),
    lease_until     timestamptz,
    leased_by       uuid,
    status          integer,
    error           text,
    tries           jsonb       not null default '[]',
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    delivered_at    timestamptz,
    constraint webhook_deliveries_key primary key (user_id, delivery_id),
    constraint webhook_deliveries_once unique (user_id, event_id, subscription_id),
    constraint webhook_deliveries_state check (state in ('waiting', 'sending', 'delivered', 'dead')),
    constraint webhook_deliveries_subscription foreign key (user_id, subscription_id)
        references subscriptions (user_id, subscription_id) on delete cascade,
    constraint webhook_deliveries_body foreign key (user_id, event_id)
        references webhook_bodies (user_id, event_id) on delete cascade
) with (fillfactor = 70);

comment on column webhook_deliveries.number is 'that of the event: the order of the log';

create index webhook_deliveries_due on webhook_deliveries (user_id, subscription_id, due_at, number)
    where state = 'waiting';

create index webhook_deliveries_heads on webhook_deliveries (user_id, subscription_id, number)
    where state in ('waiting', 'sending');

create index webhook_deliveries_dead on webhook_deliveries (user_id, subscription_id, updated_at) where state = 'dead';

create index webhook_deliveries_by_age on webhook_deliveries
    (user_id, subscription_id, created_at desc, delivery_id desc);

create index webhook_deliveries_leased on webhook_deliveries (lease_until) where state = 'sending';

create index webhook_deliveries_settled on webhook_deliveries (updated_at) where state in ('delivered', 'dead');

alter table subscriptions enable row level security;

alter table subscriptions force row level security;

alter table subscription_tombstones enable row level security;

alter table subscription_tombstones force row level security;

alter table webhook_lanes enable row level security;

alter table webhook_lanes force row level security;

alter table webhook_bodies enable row level security;

alter table webhook_bodies force row level security;

alter table webhook_deliveries enable row level security;

alter table webhook_deliveries force row level security;

create policy subscriptions_own on subscriptions
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy subscriptions_deliver on subscriptions for select to alfred_deliver using (true);

create policy subscriptions_bus on subscriptions for select to alfred_bus using (true);

create policy subscription_tombstones_own on subscription_tombstones
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy webhook_lanes_own on webhook_lanes
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy webhook_lanes_deliver on webhook_lanes to alfred_deliver using (true) with check (true);

create policy webhook_bodies_own on webhook_bodies
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy webhook_bodies_deliver on webhook_bodies to alfred_deliver using (true);

create policy webhook_deliveries_own on webhook_deliveries
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy webhook_deliveries_deliver on webhook_deliveries to alfred_deliver using (true) with check (true);

grant select, insert, update, delete
   on subscriptions, subscription_tombstones, webhook_lanes, webhook_bodies, webhook_deliveries to alfred_app;

grant select on subscriptions to alfred_deliver;

grant select (user_id, enabled) on subscriptions to alfred_bus;

grant select, update on webhook_lanes to alfred_deliver;

grant select, delete on webhook_bodies to alfred_deliver;

grant select, update, delete on webhook_deliveries to alfred_deliver;

alter table api_tokens drop constraint api_tokens_scopes;

alter table api_tokens add constraint api_tokens_scopes
    check (scopes <@ array['read', 'write', 'webhooks', 'subscriptions', 'admin']);

alter table notifications drop constraint notifications_type;

alter table notifications add constraint notifications_type
    check (type in ('urgent_message', 'overdue_task', 'stalled_lead', 'rule_match', 'subscription.disabled'));
