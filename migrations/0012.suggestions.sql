-- depends: 0011.tokens

-- What the assistant suggested, and what became of it.
create table ai_suggestions (
    user_id             uuid        not null,
    suggestion_id       uuid        not null,
    kind                text        not null,
    contact_id          uuid,
    conversation_id     uuid,
    based_on_message_id uuid,
    provider            text        not null,
    outcome             text,
    outcome_at          timestamptz,
    created_at          timestamptz not null default now(),
    constraint ai_suggestions_key primary key (user_id, suggestion_id),
    constraint ai_suggestions_kind check (kind in ('reply', 'price', 'follow_up')),
    constraint ai_suggestions_outcome check (outcome in ('sent', 'edited', 'dismissed')),
    constraint ai_suggestions_user foreign key (user_id) references users on delete cascade,
    constraint ai_suggestions_contact foreign key (user_id, contact_id)
        references contacts (user_id, contact_id) on delete set null (contact_id)
);

create index ai_suggestions_by_contact on ai_suggestions (user_id, contact_id);

alter table ai_suggestions enable row level security;

alter table ai_suggestions force row level security;

create policy ai_suggestions_own on ai_suggestions
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update (outcome, outcome_at), delete on ai_suggestions to alfred_app;
