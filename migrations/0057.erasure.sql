-- depends: 0056.retention

-- Whom and what a tenant has erased, as keyed hashes that only Alfred's secret can make: the same message delivered again
-- stays erased, and an import does not bring the person back.
create table erasures (
    user_id   uuid        not null,
    hash      bytea       not null,
    erased_at timestamptz not null default now(),
    constraint erasures_key primary key (user_id, hash),
    constraint erasures_user foreign key (user_id) references users on delete cascade
);

comment on column erasures.hash is 'HMAC-SHA256 of a message''s id on its channel, or of a person''s identity';

alter table erasures enable row level security;

alter table erasures force row level security;

create policy erasures_own on erasures
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

create policy erasures_intake on erasures for select to alfred_intake using (true);

grant select, insert, delete on erasures to alfred_app;

grant select (user_id, hash) on erasures to alfred_intake;

grant create on schema app to alfred_intake, alfred_bus, alfred_auth;

-- The places, from 1, of those items that were erased; null: none.
create function app.erased_items(p_items jsonb) returns bigint[]
language sql stable security definer set search_path = public, pg_temp
as $$
    select array_agg(t.n)
      from jsonb_array_elements(p_items) with ordinality t (i, n)
     where exists (select from erasures e
                    where e.user_id = (t.i ->> 'user_id')::uuid
                      and e.hash = any (array(select decode(h, 'hex') from jsonb_array_elements_text(t.i -> 'hashes') h)))
$$;

-- What the bus has put aside of a tenant's own events that are erased.
create function app.forget_own_attempts(p_numbers bigint[]) returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from event_retries where user_id = app.current_user_id() and number = any (p_numbers);
    delete from event_backlog where user_id = app.current_user_id() and number = any (p_numbers);
$$;

-- The same with all that hangs on no key of the tenant: call it before the user goes.
create function app.forget_own_traces() returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from event_retries where user_id = app.current_user_id();
    delete from event_backlog where user_id = app.current_user_id();
$$;

create function app.forget_own_failures() returns void
language sql volatile security definer set search_path = public, pg_temp
as $$
    delete from login_failures
     where email_key = (select email_key from logins where user_id = app.current_user_id());
$$;

alter function app.erased_items(jsonb) owner to alfred_intake;

alter function app.forget_own_attempts(bigint[]) owner to alfred_bus;

alter function app.forget_own_traces() owner to alfred_bus;

alter function app.forget_own_failures() owner to alfred_auth;

revoke create on schema app from alfred_intake, alfred_bus, alfred_auth;

revoke execute on function app.erased_items(jsonb), app.forget_own_attempts(bigint[]), app.forget_own_traces(),
    app.forget_own_failures() from public;

grant execute on function app.erased_items(jsonb), app.forget_own_attempts(bigint[]), app.forget_own_traces(),
    app.forget_own_failures() to alfred_app;

-- app.take_in without what was erased, which is answered like a message that is there already; and a whole message that
-- says stop is a wish.
create function app.take_in_wanted(p_items jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    v_erased  bigint[] := app.erased_items(p_items);
    v_wanted  jsonb := p_items;
    v_taken   jsonb;
    v_results jsonb := '[]';
    v_at      integer := 0;
    v_item    jsonb;
    v_result  jsonb;
    v_n       bigint;
begin
    if v_erased is not null then
        v_wanted := (select coalesce(jsonb_agg(i order by n), '[]') from jsonb_array_elements(p_items) with ordinality t (i, n)
                      where n <> all (v_erased));
    end if;
    v_taken := case when v_wanted <> '[]' then app.take_in(v_wanted) else '[]' end;
    if v_erased is null and not jsonb_path_exists(p_items, '$[*].opts_out') then
        return v_taken;
    end if;
    for v_item, v_n in select i, n from jsonb_array_elements(p_items) with ordinality t (i, n) order by n
    loop
        if v_n = any (v_erased) then
            v_result := '{"duplicate": true}';
        else
            v_result := v_taken -> v_at;
            v_at := v_at + 1;
            if v_item ? 'opts_out' and not (v_result ->> 'duplicate')::boolean then
                perform app.act_as((v_item ->> 'user_id')::uuid);
                perform app.note_wish(
                    (v_item ->> 'user_id')::uuid, v_item,
                    jsonb_build_object('type', 'opt_out', 'handles', v_item -> 'handles', 'others', v_item -> 'others',
                                       'at', v_item ->> 'sent_at'));
            end if;
        end if;
        v_results := v_results || v_result;
    end loop;
    return v_results;
end $$;

-- app.take_in_known leaves a batch in which something was erased.
create function app.take_in_wanted_known(p_items jsonb) returns jsonb
language plpgsql volatile
as $$
begin
    if app.erased_items(p_items) is null then
        return app.take_in_known(p_items);
    end if;
    return (select jsonb_agg('null'::jsonb) from jsonb_array_elements(p_items));
end $$;
