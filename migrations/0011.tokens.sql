-- depends: 0010.rules

-- API tokens: what their owner sees of them; the hash lives apart, where only a look-up finds it.
create table api_tokens (
    user_id      uuid        not null,
    token_id     uuid        not null,
    name         text        not null,
    hint         text        not null,
    scopes       text[]      not null,
    expires_at   timestamptz,
    last_used_at timestamptz,
    created_at   timestamptz not null default now(),
    constraint api_tokens_key primary key (user_id, token_id),
    constraint api_tokens_scopes check (scopes <@ array['read', 'write', 'webhooks', 'admin']),
    constraint api_tokens_user foreign key (user_id) references users on delete cascade
);

create index api_tokens_by_age on api_tokens (user_id, created_at desc, token_id desc);

alter table api_tokens enable row level security;

alter table api_tokens force row level security;

create policy api_tokens_own on api_tokens
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy api_tokens_service on api_tokens to alfred_auth using (true) with check (true);

grant select, insert, delete on api_tokens to alfred_app;

grant select, update (last_used_at) on api_tokens to alfred_auth;

create table api_token_hashes (
    token_hash bytea not null,
    user_id    uuid  not null,
    token_id   uuid  not null,
    constraint api_token_hashes_key primary key (token_hash),
    constraint api_token_hashes_token foreign key (user_id, token_id)
        references api_tokens (user_id, token_id) on delete cascade
);

create index api_token_hashes_by_token on api_token_hashes (user_id, token_id);

alter table api_token_hashes enable row level security;

alter table api_token_hashes force row level security;

create policy api_token_hashes_own on api_token_hashes for insert to alfred_app
    with check (user_id = app.current_user_id());

create policy api_token_hashes_service on api_token_hashes for select to alfred_auth using (true);

grant insert on api_token_hashes to alfred_app;

grant select on api_token_hashes to alfred_auth;

grant create on schema app to alfred_auth;

-- Whose token it is, if it is good now. Its last use is noted once a minute: a row is not rewritten for each request.
create function app.find_token(p_token_hash bytea) returns table (user_id uuid, token_id uuid, scopes text[])
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_token api_tokens;
begin
    select t.* into v_token from api_token_hashes h join api_tokens t using (user_id, token_id)
     where h.token_hash = p_token_hash and (t.expires_at is null or t.expires_at > now());
    if found then
        if v_token.last_used_at is null or v_token.last_used_at < now() - interval '1 minute' then
            update api_tokens t set last_used_at = now()
             where t.user_id = v_token.user_id and t.token_id = v_token.token_id;
        end if;
        return query select v_token.user_id, v_token.token_id, v_token.scopes;
    end if;
end $$;

alter function app.find_token(bytea) owner to alfred_auth;

revoke create on schema app from alfred_auth;

-- The first answer to a request, for whoever repeats it with the same key.
create table idempotency_keys (
    user_id    uuid        not null,
    path       text        not null,
    key        text        not null,
    body_hash  bytea       not null,
    claim_id   uuid        not null,
    claimed_at timestamptz not null default clock_timestamp(),
    status     integer,
    headers    jsonb,
    answer     bytea,
    constraint idempotency_keys_key primary key (user_id, path, key),
    constraint idempotency_keys_user foreign key (user_id) references users on delete cascade
);

alter table idempotency_keys enable row level security;

alter table idempotency_keys force row level security;

create policy idempotency_keys_own on idempotency_keys
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on idempotency_keys to alfred_app;
