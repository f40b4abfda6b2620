-- The ground that everything stands on: roles, the tenant of a transaction, text and ids.

create extension if not exists pg_trgm;

create extension if not exists unaccent;

create extension if not exists btree_gin;

-- Roles belong to the cluster, so another database may have made them already, or be making them now.
do $$
declare
    v_role text;
begin
    foreach v_role in array array['alfred_app', 'alfred_auth', 'alfred_bus', 'alfred_scan', 'alfred_search'] loop
        begin
            if not exists (select from pg_roles where rolname = v_role) then
                execute format('create role %I nologin', v_role);
            end if;
        exception when duplicate_object or unique_violation then
            null;
        end;
        if v_role <> 'alfred_app' and not pg_has_role(current_user, v_role, 'usage') then
            execute format('grant %I to current_user', v_role);
        end if;
    end loop;
end $$;

create schema app;

grant usage on schema app to alfred_app, alfred_auth, alfred_bus, alfred_scan, alfred_search;

-- A service role may own functions here; it needs the right only while a migration gives them to it.
grant create on schema app to alfred_auth, alfred_bus, alfred_scan, alfred_search;

-- Inlined into every policy. Never set is null; after a transaction it is '': both are no tenant.
create function app.current_user_id() returns uuid
language sql stable parallel safe
as $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;

-- Text as search compares it: without case and accents.
create function app.norm(p_text text) returns text
language sql immutable strict parallel safe
as $$ select lower(public.unaccent('public.unaccent'::regdictionary, p_text)) $$;

create function app.like_pattern(p_text text) returns text
language sql immutable strict parallel safe
as $$
    select '%' || replace(replace(replace(app.norm(p_text), '\', '\\'), '%', '\%'), '_', '\_') || '%'
$$;

-- A version-7 UUID: 48 bits of milliseconds, the rest random.
create function app.uuid7() returns uuid
language sql volatile parallel safe
as $$
    select encode(
        set_bit(set_bit(
            overlay(uuid_send(gen_random_uuid())
                placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
                from 1 for 6),
            52, 1), 53, 1),
        'hex')::uuid
$$;

-- One tenant, one bucket: its events are read in one order.
create function app.bucket(p_user uuid) returns smallint
language sql immutable strict parallel safe
as $$ select (get_byte(uuid_send(p_user), 15) & 15)::smallint $$;
