-- depends: 0031.webhook_settling

-- How a channel is connected to its messenger. What is secret of it lies apart, encrypted.
create table connections (
    user_id      uuid        not null,
    channel_id   uuid        not null,
    provider     text        not null,
    state        text        not null default 'untested',
    config       jsonb       not null,
    options      jsonb       not null,
    error        jsonb,
    paused_until timestamptz,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    constraint connections_key primary key (user_id, channel_id),
    constraint connections_provider check (provider in ('whatsapp_cloud', 'messenger', 'instagram', 'evolution', 'waha',
                                                        'zapi', 'twilio', 'email')),
    constraint connections_state check (state in ('connected', 'untested', 'failing', 'auth_failed')),
    constraint connections_channel foreign key (user_id, channel_id)
        references channels (user_id, channel_id) on delete cascade
);

comment on column connections.config is 'what is no secret of the connection, as PUT takes it';

alter table connections enable row level security;

alter table connections force row level security;

create policy connections_own on connections
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on connections to alfred_app;

create table connection_secrets (
    user_id    uuid        not null,
    channel_id uuid        not null,
    name       text        not null,
    sealed     bytea       not null,
    updated_at timestamptz not null default now(),
    constraint connection_secrets_key primary key (user_id, channel_id, name),
    constraint connection_secrets_connection foreign key (user_id, channel_id)
        references connections (user_id, channel_id) on delete cascade
);

comment on column connection_secrets.sealed is 'vault.py: encrypted JSON, bound to user, channel and name';

alter table connection_secrets enable row level security;

alter table connection_secrets force row level security;

create policy connection_secrets_own on connection_secrets
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on connection_secrets to alfred_app;

-- The secret paths that messengers post to: looked up by their hash before anybody's hat is known.
create table hook_keys (
    key_hash   bytea       not null,
    user_id    uuid        not null,
    channel_id uuid        not null,
    key_id     uuid        not null,
    provider   text        not null,
    sealed     bytea       not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    constraint hook_keys_key primary key (key_hash),
    constraint hook_keys_connection foreign key (user_id, channel_id)
        references connections (user_id, channel_id) on delete cascade
);

comment on column hook_keys.sealed is 'the key itself, encrypted: people copy its address again';

create index hook_keys_by_channel on hook_keys (user_id, channel_id, created_at);

alter table hook_keys enable row level security;

alter table hook_keys force row level security;

create policy hook_keys_own on hook_keys
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy hook_keys_service on hook_keys for select to alfred_auth using (true);

grant select, insert, update, delete on hook_keys to alfred_app;

grant select on hook_keys to alfred_auth;

-- What came to a channel's hook: written at most once a second by each process, not by each post.
create table channel_hooks (
    user_id           uuid   not null,
    channel_id        uuid   not null,
    received          bigint not null default 0,
    rejected          bigint not null default 0,
    last_received_at  timestamptz,
    last_rejected_at  timestamptz,
    last_challenge_at timestamptz,
    last_error        jsonb,
    constraint channel_hooks_key primary key (user_id, channel_id),
    constraint channel_hooks_channel foreign key (user_id, channel_id)
        references channels (user_id, channel_id) on delete cascade
);

alter table channel_hooks enable row level security;

alter table channel_hooks force row level security;

create policy channel_hooks_own on channel_hooks
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on channel_hooks to alfred_app;

grant create on schema app to alfred_auth;

-- Whose hook a key opens, if it is good now.
create function app.find_hook(p_key_hash bytea) returns table (user_id uuid, channel_id uuid, provider text, key_id uuid)
language sql stable security definer set search_path = public, pg_temp
as $$
    select k.user_id, k.channel_id, k.provider, k.key_id from hook_keys k
     where k.key_hash = p_key_hash and (k.expires_at is null or k.expires_at > now())
$$;

-- Whose secrets are to be encrypted anew when the key changes.
create function app.users_with_secrets() returns table (user_id uuid)
language sql stable security definer set search_path = public, pg_temp
as $$ select distinct k.user_id from hook_keys k $$;

alter function app.find_hook(bytea) owner to alfred_auth;

alter function app.users_with_secrets() owner to alfred_auth;

revoke create on schema app from alfred_auth;
