-- depends: 0024.effects

-- The way in is called for every message: its statements are planned once for a connection. The one plan is for tables
-- that grow, so that it does not read them whole because they are small today.
alter function app.take_in(jsonb) set plan_cache_mode = force_generic_plan;

alter function app.take_in(jsonb) set enable_seqscan = off;

alter function app.take_in(jsonb) set enable_hashjoin = off;

alter function app.take_in(jsonb) set enable_mergejoin = off;
