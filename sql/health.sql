-- What readiness asks.

-- name: newest_migration
-- The last that was applied.
select coalesce(max(migration_id), '') from _yoyo_migration
