-- What readiness asks.

-- name: newest_migration
-- The last that was applied.
-- Bounded by being one.
select coalesce(max(migration_id), '') from _yoyo_migration

-- name: login
-- Whether row level security binds who asks, and whether passwords may be judged.
-- Bounded by being one.
select current_user as name, rolsuper, rolbypassrls,
       exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'public' and c.relkind = 'r' and pg_has_role(c.relowner, 'usage')) as owns,
       coalesce((select has_function_privilege(p.oid, 'execute') from pg_proc p
                  where p.pronamespace = to_regnamespace('app') and p.proname = 'judge_login'), true) as may_authenticate
  from pg_roles
 where rolname = current_user
