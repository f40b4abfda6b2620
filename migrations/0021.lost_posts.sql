-- depends: 0020.numbers

-- Posts that were refused and that a gateway never repeats: counted, and told at most once an hour.
create table lost_posts (
    user_id      uuid        not null,
    unauthorized integer     not null default 0,
    not_found    integer     not null default 0,
    too_large    integer     not null default 0,
    since        timestamptz not null default now(),
    told_at      timestamptz,
    constraint lost_posts_key primary key (user_id),
    constraint lost_posts_user foreign key (user_id) references users on delete cascade
);

alter table lost_posts enable row level security;

alter table lost_posts force row level security;

create policy lost_posts_own on lost_posts
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on lost_posts to alfred_app;

-- Whose API token it is, also after it has expired; it opens nothing.
create function app.owner_of_token(p_token_hash bytea) returns uuid
language sql stable security definer set search_path = public, pg_temp
as $$ select user_id from api_token_hashes where token_hash = p_token_hash $$;

grant create on schema app to alfred_auth;

alter function app.owner_of_token(bytea) owner to alfred_auth;

revoke create on schema app from alfred_auth;

alter table notifications
    add column count integer,
    add column ids   uuid[];

comment on column notifications.count is 'of a digest: how many it is about';

comment on column notifications.ids is 'of a digest: the first 20 conversations or tasks';
