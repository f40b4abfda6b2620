-- depends: 0033.channel_notifications

-- Files: of messages, fetched in the background or come with their post, and uploads that are to be sent.
create table media (
    user_id    uuid        not null,
    media_id   uuid        not null default app.uuid7(),
    channel_id uuid,
    message_id uuid,
    position   integer,
    state      text        not null,
    sha256     text,
    size       bigint,
    mime_type  text,
    file_name  text,
    error      jsonb,
    attempts   integer     not null default 0,
    due_at     timestamptz not null default now(),
    created_at timestamptz not null default now(),
    constraint media_key primary key (user_id, media_id),
    constraint media_one_each unique (user_id, message_id, position),
    constraint media_state check (state in ('pending', 'stored', 'failed')),
    constraint media_is_stored check (state <> 'stored' or (sha256 is not null and size is not null)),
    constraint media_user foreign key (user_id) references users on delete cascade,
    constraint media_channel foreign key (user_id, channel_id)
        references channels (user_id, channel_id) on delete cascade,
    constraint media_message foreign key (user_id, message_id)
        references messages (user_id, message_id) on delete cascade
);

comment on column media.message_id is 'null for an upload that no message has used yet';

comment on column media.sha256 is 'hex; the file lies in the store under user and digest, once for several rows';

create index media_by_channel on media (user_id, channel_id);

create index media_by_digest on media (user_id, sha256);

create index media_due on media (due_at) where state = 'pending';

create index media_unused on media (created_at) where message_id is null;

create index media_by_id on media (media_id);

create index media_by_message on media (message_id, position);

alter table media enable row level security;

alter table media force row level security;

create policy media_own on media
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy media_scan on media to alfred_scan using (true) with check (true);

create policy media_links on media for select to alfred_auth using (true);

grant select, insert, update, delete on media to alfred_app;

grant select, update, delete on media to alfred_scan;

grant select on media to alfred_auth;

grant create on schema app to alfred_scan, alfred_auth;

-- Files to fetch, the longest waiting first; whoever gets one has it until p_lease is over.
create function app.claim_media(p_most integer, p_lease interval, p_busy uuid[])
returns table (user_id uuid, media_id uuid, channel_id uuid, attempts integer)
language sql volatile security definer set search_path = public, pg_temp
as $$
    update media m set due_at = now() + p_lease, attempts = m.attempts + 1
      from (select d.user_id, d.media_id from media d
             where d.state = 'pending' and d.due_at <= now() and not d.channel_id = any (p_busy)
             order by d.due_at limit p_most for update skip locked) due
     where m.user_id = due.user_id and m.media_id = due.media_id
    returning m.user_id, m.media_id, m.channel_id, m.attempts
$$;

create function app.media_due_in() returns double precision
language sql stable security definer set search_path = public, pg_temp
as $$ select extract(epoch from min(d.due_at) - now())::double precision from media d where d.state = 'pending' $$;

-- Which of some files (user, digest) no row names any more.
create function app.unknown_media(p_users uuid[], p_digests text[]) returns table (user_id uuid, sha256 text)
language sql stable security definer set search_path = public, pg_temp
as $$
    select f.user_id, f.sha256 from unnest(p_users, p_digests) as f (user_id, sha256)
     where not exists (select from media m where m.user_id = f.user_id and m.sha256 = f.sha256)
$$;

-- Uploads that no message has used for a day.
create function app.forget_unused_media(p_before timestamptz) returns bigint
language sql volatile security definer set search_path = public, pg_temp
as $$
    with gone as (
        delete from media m where m.message_id is null and m.created_at < p_before returning 1
    )
    select count(*) from gone
$$;

-- Whose a linked file is, before its signature is looked at.
create function app.find_media(p_media uuid, p_message uuid, p_position integer)
returns table (user_id uuid, media_id uuid, state text, sha256 text, size bigint, mime_type text, file_name text)
language sql stable security definer set search_path = public, pg_temp
as $$
    select m.user_id, m.media_id, m.state, m.sha256, m.size, m.mime_type, m.file_name from media m
     where m.media_id = p_media and p_message is null
    union all
    select m.user_id, m.media_id, m.state, m.sha256, m.size, m.mime_type, m.file_name from media m
     where m.message_id = p_message and m.position = p_position and p_media is null
$$;

alter function app.claim_media(integer, interval, uuid[]) owner to alfred_scan;

alter function app.media_due_in() owner to alfred_scan;

alter function app.unknown_media(uuid[], text[]) owner to alfred_scan;

alter function app.forget_unused_media(timestamptz) owner to alfred_scan;

alter function app.find_media(uuid, uuid, integer) owner to alfred_auth;

revoke create on schema app from alfred_scan, alfred_auth;
