-- depends: 0009.tasks

create table rules (
    user_id     uuid        not null,
    rule_id     uuid        not null,
    name        text        not null,
    text        text,
    language    text        not null,
    compiled    jsonb       not null,
    enabled     boolean     not null default true,
    explanation text        not null,
    warnings    jsonb       not null default '[]',
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    constraint rules_key primary key (user_id, rule_id),
    constraint rules_user foreign key (user_id) references users on delete cascade
);

create index rules_by_age on rules (user_id, created_at desc, rule_id desc);

alter table rules enable row level security;

alter table rules force row level security;

create policy rules_own on rules
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on rules to alfred_app;

-- What a rule has done: once for each subject (a message, a lapse, a silence, a new conversation).
create table rule_matches (
    user_id         uuid        not null,
    rule_id         uuid        not null,
    subject         text        not null,
    conversation_id uuid,
    replied         boolean     not null default false,
    matched_at      timestamptz not null default now(),
    constraint rule_matches_key primary key (user_id, rule_id, subject),
    constraint rule_matches_rule foreign key (user_id, rule_id) references rules (user_id, rule_id) on delete cascade
);

create index rule_matches_by_conversation on rule_matches (user_id, rule_id, conversation_id, matched_at desc);

alter table rule_matches enable row level security;

alter table rule_matches force row level security;

create policy rule_matches_own on rule_matches
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on rule_matches to alfred_app;

create table flows (
    user_id     uuid        not null,
    flow_id     uuid        not null,
    name        text        not null,
    description text,
    enabled     boolean     not null default false,
    definition  jsonb       not null,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    constraint flows_key primary key (user_id, flow_id),
    constraint flows_user foreign key (user_id) references users on delete cascade
);

create index flows_by_age on flows (user_id, created_at desc, flow_id desc);

alter table flows enable row level security;

alter table flows force row level security;

create policy flows_own on flows
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on flows to alfred_app;

create policy rules_bus on rules for select to alfred_bus using (true);

create policy flows_bus on flows for select to alfred_bus using (true);

grant select (user_id, enabled) on rules, flows to alfred_bus;

grant create on schema app to alfred_bus;

-- Of these users, those for whom a consumer has something to do: most events need no more than this look.
create function app.users_with_rules(p_users uuid[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp
as $$
    select u from unnest(p_users) u where exists (select from rules r where r.user_id = u and r.enabled)
$$;

create function app.users_with_flows(p_users uuid[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp
as $$
    select u from unnest(p_users) u where exists (select from flows f where f.user_id = u and f.enabled)
$$;

alter function app.users_with_rules(uuid[]) owner to alfred_bus;

alter function app.users_with_flows(uuid[]) owner to alfred_bus;

revoke create on schema app from alfred_bus;
