-- depends: 0046.search_pages

-- The model from outside that a tenant has asked for; without a row no text of theirs leaves the service.
create table ai_providers (
    user_id           uuid        not null,
    kind              text        not null,
    base_url          text,
    model             text,
    features          text[]      not null default '{}',
    daily_tokens      integer     not null,
    language          text,
    sealed            bytea,
    secret_updated_at timestamptz,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now(),
    constraint ai_providers_key primary key (user_id),
    constraint ai_providers_kind check (kind in ('default', 'openai', 'anthropic')),
    constraint ai_providers_features check (features <@ array['reply', 'follow_up', 'refine']),
    constraint ai_providers_language check (language in ('pt', 'en', 'es')),
    constraint ai_providers_address check ((kind = 'default') = (base_url is null)),
    constraint ai_providers_user foreign key (user_id) references users on delete cascade
);

comment on column ai_providers.sealed is 'the API key, encrypted for user|ai_provider|api_key; null where the server asks for none';

comment on column ai_providers.daily_tokens is 'tokens in and out in a day of UTC; what is asked beyond is answered by the built-in assistant';

alter table ai_providers enable row level security;

alter table ai_providers force row level security;

create policy ai_providers_own on ai_providers
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy ai_providers_scan on ai_providers for select to alfred_scan using (true);

grant select, insert, update, delete on ai_providers to alfred_app;

grant select on ai_providers to alfred_scan;

-- What the assistant was asked and what it cost, summed by day of UTC: kept when suggestions are gone.
create table ai_usage (
    user_id       uuid    not null,
    day           date    not null,
    provider      text    not null,
    feature       text    not null,
    calls         bigint  not null default 0,
    degraded      bigint  not null default 0,
    input_tokens  bigint  not null default 0,
    output_tokens bigint  not null default 0,
    milliseconds  bigint  not null default 0,
    cost          numeric(14, 6),
    constraint ai_usage_key primary key (user_id, day, provider, feature),
    constraint ai_usage_feature check (feature in ('reply', 'price', 'follow_up', 'refine')),
    constraint ai_usage_user foreign key (user_id) references users on delete cascade
);

alter table ai_usage enable row level security;

alter table ai_usage force row level security;

create policy ai_usage_own on ai_usage
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on ai_usage to alfred_app;

-- The ledger: what made each suggestion.
alter table ai_suggestions
    add column model           text,
    add column prompt_version  text,
    add column input_hash      text,
    add column input_tokens    integer not null default 0,
    add column output_tokens   integer not null default 0,
    add column milliseconds    integer not null default 0,
    add column cost            numeric(14, 6),
    add column fallback_reason text,
    add column used            uuid[]  not null default '{}',
    add constraint ai_suggestions_fallback check (fallback_reason in (
        'timeout', 'rate_limited', 'circuit_open', 'invalid_output', 'budget', 'auth', 'guard'));

grant create on schema app to alfred_scan;

-- Who has a secret of a model's, so that a new key can encrypt it anew.
create function app.users_with_models() returns table (user_id uuid)
language sql stable security definer set search_path = public, pg_temp
as $$ select p.user_id from ai_providers p where p.sealed is not null $$;

alter function app.users_with_models() owner to alfred_scan;

revoke execute on function app.users_with_models() from public;

grant execute on function app.users_with_models() to alfred_app;

revoke create on schema app from alfred_scan;
