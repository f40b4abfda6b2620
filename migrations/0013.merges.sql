-- depends: 0012.suggestions

-- Two contacts that were one person: what is needed to part them again, exactly as they were. A row goes when its
-- merge is undone, and with the contact that was kept.
create table contact_merges (
    user_id       uuid        not null,
    merged_id     uuid        not null,
    contact_id    uuid        not null,
    contact       jsonb       not null,
    identities    jsonb       not null,
    filled        jsonb       not null,
    conversations uuid[]      not null default '{}',
    tasks         uuid[]      not null default '{}',
    notifications uuid[]      not null default '{}',
    events        bigint[]    not null default '{}',
    merges        uuid[]      not null default '{}',
    merged_at     timestamptz not null default clock_timestamp(),
    constraint contact_merges_key primary key (user_id, merged_id),
    constraint contact_merges_contact foreign key (user_id, contact_id)
        references contacts (user_id, contact_id) on delete cascade
);

comment on column contact_merges.merged_id is 'the contact that went; it comes back under the same id';

comment on column contact_merges.contact is 'its row';

comment on column contact_merges.filled is 'what the kept contact took from it, to be emptied again where it is still the same';

comment on column contact_merges.conversations is 'here and below: what went over to the kept contact';

comment on column contact_merges.merges is 'merges into the one that went: they are undone on the kept contact first, on it afterwards';

create index contact_merges_by_contact on contact_merges (user_id, contact_id, merged_at desc);

alter table contact_merges enable row level security;

alter table contact_merges force row level security;

create policy contact_merges_own on contact_merges
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on contact_merges to alfred_app;

-- What the log and the bell tell of a person moves with them; nothing else of an event ever changes.
grant update (contact_id) on ai_events to alfred_app;

grant update (contact_id) on notifications to alfred_app;
