-- depends: 0043.preferences

-- Which conversations have a tag: what is asked of all of them needs no look at each. conversations.tags is the same
-- in the order of a person; whoever writes it writes here too.
create table conversation_tags (
    user_id         uuid not null,
    tag             text not null,
    conversation_id uuid not null,
    constraint conversation_tags_key primary key (user_id, tag, conversation_id),
    constraint conversation_tags_conversation foreign key (user_id, conversation_id)
        references conversations (user_id, conversation_id) on delete cascade
);

create index conversation_tags_by_conversation on conversation_tags (user_id, conversation_id);

alter table conversation_tags enable row level security;

alter table conversation_tags force row level security;

create policy conversation_tags_own on conversation_tags
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on conversation_tags to alfred_app;

alter table conversations no force row level security;

alter table conversation_tags no force row level security;

insert into conversation_tags (user_id, tag, conversation_id)
select distinct user_id, unnest(tags), conversation_id from conversations where tags <> '{}';

alter table conversations force row level security;

alter table conversation_tags force row level security;

-- A conversation's tags after a change: in their order, each once. Where more than 50 would come of it, as they were.
create function app.tags_with(p_tags text[], p_add text[], p_remove text[]) returns text[]
language sql immutable parallel safe
as $$
    with kept as (
        select tag, n from unnest(p_tags) with ordinality as t (tag, n) where tag <> all (p_remove)
    ), added as (
        select tag, min(n) as n from unnest(p_add) with ordinality as t (tag, n)
         where tag not in (select tag from kept) group by tag
    ), all_tags as (
        select array(select tag from kept order by n) || array(select tag from added order by n) as tags
    )
    select case when cardinality(tags) > 50 then p_tags else tags end from all_tags
$$;

-- When a channel was last used, and its pages of the inbox.
create index conversations_by_channel on conversations (user_id, channel_id, active_at desc, conversation_id desc);
