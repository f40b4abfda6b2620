-- depends: 0044.tags

-- What is noted about a contact, one after the other; contacts.notes is one text beside them.
create table contact_notes (
    user_id    uuid        not null,
    note_id    uuid        not null,
    contact_id uuid        not null,
    text       text        not null,
    created_at timestamptz not null default now(),
    constraint contact_notes_key primary key (user_id, note_id),
    constraint contact_notes_contact foreign key (user_id, contact_id)
        references contacts (user_id, contact_id) on delete cascade
);

create index contact_notes_by_contact on contact_notes (user_id, contact_id, created_at desc, note_id desc);

alter table contact_notes enable row level security;

alter table contact_notes force row level security;

create policy contact_notes_own on contact_notes
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on contact_notes to alfred_app;

-- They go over with their contact, and come back with it.
alter table contact_merges add column notes uuid[] not null default '{}';

create or replace function app.move_to_contact(p_user uuid, p_kept uuid, p_gone uuid) returns void
language plpgsql volatile
as $$
begin
    with moved as (
        update conversations set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning conversation_id
    )
    update contact_merges set conversations = array(select conversation_id from moved)
     where user_id = p_user and merged_id = p_gone;
    with moved as (
        update tasks set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning task_id
    )
    update contact_merges set tasks = array(select task_id from moved)
     where user_id = p_user and merged_id = p_gone;
    with moved as (
        update contact_notes set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning note_id
    )
    update contact_merges set notes = array(select note_id from moved)
     where user_id = p_user and merged_id = p_gone;
    with moved as (
        update notifications set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning notification_id, conversation_id
    )
    update contact_merges m
       set notifications = array(select notification_id from moved where conversation_id = any (m.conversations) is not true)
     where m.user_id = p_user and m.merged_id = p_gone;
    with moved as (
        update ai_events set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning number, conversation_id
    )
    update contact_merges m
       set events = array(select number from moved where conversation_id = any (m.conversations) is not true)
     where m.user_id = p_user and m.merged_id = p_gone;
    with moved as (
        update contact_merges set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning merged_id
    )
    update contact_merges set merges = array(select merged_id from moved)
     where user_id = p_user and merged_id = p_gone;
end $$;

-- A contact's history, page by page, from each of its sources.
create index tasks_of_contact on tasks (user_id, contact_id, created_at desc, task_id desc);

drop index tasks_by_contact;

create index rule_matches_by_time on rule_matches (user_id, conversation_id, matched_at desc);

-- Reports over a span of time, and the newest messages of all.
create index messages_by_time on messages (user_id, sent_at desc, message_id desc);

create index ai_suggestions_by_time on ai_suggestions (user_id, created_at);
