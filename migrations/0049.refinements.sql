-- depends: 0048.facts

-- Messages that a model is to read once more: made by a consumer, claimed by a worker, gone when they are read.
create table ai_refinements (
    user_id    uuid        not null,
    message_id uuid        not null,
    due_at     timestamptz not null default now(),
    attempts   integer     not null default 0,
    constraint ai_refinements_key primary key (user_id, message_id),
    constraint ai_refinements_message foreign key (user_id, message_id)
        references messages (user_id, message_id) on delete cascade
);

create index ai_refinements_due on ai_refinements (due_at);

alter table ai_refinements enable row level security;

alter table ai_refinements force row level security;

create policy ai_refinements_own on ai_refinements
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy ai_refinements_scan on ai_refinements to alfred_scan using (true) with check (true);

create policy ai_providers_bus on ai_providers for select to alfred_bus using (true);

grant select, insert, update, delete on ai_refinements to alfred_app;

grant select, update, delete on ai_refinements to alfred_scan;

grant select (user_id, features) on ai_providers to alfred_bus;

grant create on schema app to alfred_scan, alfred_bus;

-- Of these users, those who want their messages read by a model.
create function app.users_who_refine(p_users uuid[]) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
begin
    return query select u from unnest(p_users) u
                  where exists (select from ai_providers p where p.user_id = u and 'refine' = any (p.features));
end $$;

-- Messages to read, the longest waiting first; whoever gets one has it until p_lease is over. A third attempt is none.
create function app.claim_refinements(p_most integer, p_lease interval, p_busy uuid[])
returns table (user_id uuid, message_id uuid)
language sql volatile security definer set search_path = public, pg_temp
as $$
    with worn as (
        delete from ai_refinements w where w.attempts >= 2 and w.due_at <= now()
    )
    update ai_refinements r set due_at = now() + p_lease, attempts = r.attempts + 1
      from (select d.user_id, d.message_id from ai_refinements d
             where d.due_at <= now() and d.attempts < 2 and not d.user_id = any (p_busy)
             order by d.due_at limit p_most for update skip locked) due
     where r.user_id = due.user_id and r.message_id = due.message_id
    returning r.user_id, r.message_id
$$;

create function app.refinements_due_in() returns double precision
language sql stable security definer set search_path = public, pg_temp
as $$ select extract(epoch from min(d.due_at) - now())::double precision from ai_refinements d $$;

alter function app.users_who_refine(uuid[]) owner to alfred_bus;

alter function app.claim_refinements(integer, interval, uuid[]) owner to alfred_scan;

alter function app.refinements_due_in() owner to alfred_scan;

revoke create on schema app from alfred_scan, alfred_bus;
