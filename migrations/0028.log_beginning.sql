-- depends: 0027.stream_trust

-- Where the log begins: whoever removes old events first says here up to when, so that a client whose position is
-- older is told that it has missed some. No row: nothing was removed.
create table event_log (
    only_row  boolean     not null default true,
    begins_at timestamptz not null,
    constraint event_log_key primary key (only_row),
    constraint event_log_one_row check (only_row)
);

alter table event_log enable row level security;

alter table event_log force row level security;

create policy event_log_bus on event_log to alfred_bus using (true) with check (true);

grant select, insert, update on event_log to alfred_bus;

grant create on schema app to alfred_bus;

create function app.log_begins_at() returns timestamptz
language sql stable security definer set search_path = public, pg_temp
as $$ select coalesce(max(begins_at), '-infinity') from event_log $$;

-- To be called before events of before p_at are removed.
create function app.begin_log_at(p_at timestamptz) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    insert into event_log as l (begins_at) values (p_at)
    on conflict (only_row) do update set begins_at = greatest(l.begins_at, excluded.begins_at)
$$;

alter function app.log_begins_at() owner to alfred_bus;

alter function app.begin_log_at(timestamptz) owner to alfred_bus;

revoke create on schema app from alfred_bus;

revoke execute on function app.begin_log_at(timestamptz) from public;
