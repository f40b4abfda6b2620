-- depends: 0002.users

-- Where a tenant talks (channels), and with whom (contacts, known by their channel identities).
create table channels (
    user_id             uuid        not null,
    channel_id          uuid        not null,
    type                text        not null,
    name                text        not null,
    external_account_id text,
    active              boolean     not null default true,
    created_at          timestamptz not null default now(),
    constraint channels_key primary key (user_id, channel_id),
    constraint channels_account_taken unique (user_id, type, external_account_id),
    constraint channels_type check (type in ('whatsapp', 'instagram', 'messenger', 'email')),
    constraint channels_user foreign key (user_id) references users on delete cascade
);

alter table channels enable row level security;

alter table channels force row level security;

create policy channels_own on channels
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on channels to alfred_app;

create table contacts (
    user_id             uuid        not null,
    contact_id          uuid        not null,
    name                text,
    handle              text        not null,
    channel_type        text        not null,
    email               text,
    phone               text,
    notes               text,
    negotiation_enabled boolean     not null default true,
    negotiation_mode    text        not null default 'suggest',
    base_price          numeric(14, 2),
    custom_price        numeric(14, 2),
    currency            text,
    vip                 boolean     not null default false,
    preferred_tone      text        not null default 'neutral',
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    norm                text        not null generated always as (app.norm(coalesce(name, '') || ' ' || handle)) stored,
    constraint contacts_key primary key (user_id, contact_id),
    constraint contacts_channel_type check (channel_type in ('whatsapp', 'instagram', 'messenger', 'email')),
    constraint contacts_negotiation_mode check (negotiation_mode in ('off', 'suggest', 'auto')),
    constraint contacts_preferred_tone check (preferred_tone in ('formal', 'neutral', 'friendly', 'casual')),
    constraint contacts_user foreign key (user_id) references users on delete cascade
);

create index contacts_by_age on contacts (user_id, created_at desc, contact_id desc);

create index contacts_search on contacts using gin (user_id, norm gin_trgm_ops) with (gin_pending_list_limit = 512);

alter table contacts enable row level security;

alter table contacts force row level security;

create policy contacts_own on contacts
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy contacts_search on contacts for select to alfred_search using (true);

grant select, insert, update, delete on contacts to alfred_app;

grant select on contacts to alfred_search;

-- A phone, @lid, business-scoped id, PSID, IGSID or e-mail address: opaque text.
create table contact_identities (
    user_id      uuid        not null,
    channel_type text        not null,
    value        text        not null,
    contact_id   uuid        not null,
    matched_as   text,
    created_at   timestamptz not null default now(),
    constraint contact_identities_handle_taken primary key (user_id, channel_type, value),
    constraint contact_identities_channel_type check (channel_type in ('whatsapp', 'instagram', 'messenger', 'email')),
    constraint contact_identities_contact foreign key (user_id, contact_id)
        references contacts (user_id, contact_id) on delete cascade
);

comment on column contact_identities.matched_as is
    'the identity that this one was recognised by (a Brazilian mobile without or with its ninth digit)';

create index contact_identities_by_contact on contact_identities (user_id, contact_id);

alter table contact_identities enable row level security;

alter table contact_identities force row level security;

create policy contact_identities_own on contact_identities
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on contact_identities to alfred_app;

create function app.identities_of(p_user uuid, p_contact uuid) returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(jsonb_build_object('channel_type', i.channel_type, 'value', i.value)
                              order by i.created_at, i.channel_type, i.value), '[]')
      from contact_identities i where i.user_id = p_user and i.contact_id = p_contact
$$;
