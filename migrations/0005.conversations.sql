-- depends: 0004.events

-- One conversation for each channel and handle; the inbox is this table by activity.
create table conversations (
    user_id                uuid        not null,
    conversation_id        uuid        not null,
    contact_id             uuid        not null,
    channel_id             uuid        not null,
    handle                 text        not null,
    status                 text        not null default 'open',
    unread_count           integer     not null default 0,
    sentiment              text,
    urgency                text,
    negotiation            boolean     not null default false,
    snippet                text,
    last_message_id        uuid,
    last_message_at        timestamptz,
    last_message_direction text,
    last_inbound_id        uuid,
    last_inbound_at        timestamptz,
    tags                   text[]      not null default '{}',
    snoozed_until          timestamptz,
    active_at              timestamptz not null default now(),
    created_at             timestamptz not null default now(),
    updated_at             timestamptz not null default now(),
    constraint conversations_key primary key (user_id, conversation_id),
    constraint conversations_one_each unique (user_id, channel_id, handle),
    constraint conversations_status check (status in ('open', 'pending', 'snoozed', 'closed')),
    constraint conversations_sentiment check (sentiment in ('positive', 'neutral', 'negative')),
    constraint conversations_urgency check (urgency in ('low', 'medium', 'high')),
    constraint conversations_contact foreign key (user_id, contact_id)
        references contacts (user_id, contact_id) on delete cascade,
    constraint conversations_channel foreign key (user_id, channel_id)
        references channels (user_id, channel_id) on delete cascade
);

comment on column conversations.active_at is 'last_message_at, or created_at while there is no message: the order of the inbox';

create index conversations_inbox on conversations (user_id, active_at desc, conversation_id desc);

create index conversations_by_contact on conversations (user_id, contact_id);

alter table conversations enable row level security;

alter table conversations force row level security;

create policy conversations_own on conversations
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy conversations_search on conversations for select to alfred_search using (true);

grant select, insert, update, delete on conversations to alfred_app;

grant select on conversations to alfred_search;

create table messages (
    user_id            uuid        not null,
    message_id         uuid        not null,
    conversation_id    uuid        not null,
    channel_id         uuid        not null,
    direction          text        not null,
    external_id        text,
    dedupe_key         text,
    body               text        not null default '',
    attachments        jsonb       not null default '[]',
    reply_to_id        uuid,
    status             text        not null,
    error              text,
    reactions          jsonb       not null default '[]',
    reacted_at         timestamptz,
    classification     jsonb,
    sent_at            timestamptz not null,
    created_at         timestamptz not null default now(),
    edited_at          timestamptz,
    deleted_at         timestamptz,
    norm               text        not null generated always as (app.norm(body)) stored,
    constraint messages_key primary key (user_id, message_id),
    constraint messages_external_id_taken unique (user_id, channel_id, dedupe_key),
    constraint messages_direction check (direction in ('inbound', 'outbound')),
    constraint messages_status check (status in ('received', 'queued', 'sent', 'delivered', 'read', 'failed')),
    constraint messages_conversation foreign key (user_id, conversation_id)
        references conversations (user_id, conversation_id) on delete cascade
);

comment on column messages.dedupe_key is
    'external_id, or a digest of sender, time and content where the sender gives no id: what makes a redelivery the same message';

create index messages_thread on messages (user_id, conversation_id, sent_at desc, message_id desc);

create index messages_search on messages using gin (user_id, norm gin_trgm_ops) with (gin_pending_list_limit = 512);

alter table messages enable row level security;

alter table messages force row level security;

create policy messages_own on messages
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy messages_search on messages for select to alfred_search using (true);

grant select, insert, update, delete on messages to alfred_app;

grant select on messages to alfred_search;

-- The sender's own words, as posted: `json`, not `jsonb`, since it keeps every escape.
create table message_payloads (
    user_id    uuid not null,
    message_id uuid not null,
    payload    json not null,
    constraint message_payloads_key primary key (user_id, message_id),
    constraint message_payloads_message foreign key (user_id, message_id)
        references messages (user_id, message_id) on delete cascade
);

alter table message_payloads enable row level security;

alter table message_payloads force row level security;

create policy message_payloads_own on message_payloads
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on message_payloads to alfred_app;

-- Everything told of a message after it was sent: delivery statuses, edits, deletions, reactions.
-- It may come before the message, so it hangs on the messenger's id; the key makes a redelivery the same.
create sequence message_updates_number;

create table message_updates (
    user_id      uuid        not null,
    number       bigint      not null default nextval('message_updates_number'),
    channel_type text        not null,
    external_id  text        not null,
    kind         text        not null,
    detail       text        not null,
    body         text,
    error        text,
    happened_at  timestamptz not null,
    classification jsonb,
    payload      json,
    created_at   timestamptz not null default now(),
    constraint message_updates_key primary key (user_id, channel_type, external_id, kind, detail),
    constraint message_updates_kind check (kind in ('sent', 'delivered', 'read', 'failed', 'edited', 'deleted', 'reaction')),
    constraint message_updates_user foreign key (user_id) references users on delete cascade
);

alter table message_updates enable row level security;

alter table message_updates force row level security;

create policy message_updates_own on message_updates
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on message_updates to alfred_app;

grant usage on sequence message_updates_number to alfred_app;
