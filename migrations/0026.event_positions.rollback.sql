drop function app.events_of_users(uuid[], pg_snapshot, pg_snapshot, bigint, integer);

drop function app.events_after(uuid, pg_snapshot, pg_snapshot, bigint, text[], uuid, integer);

drop function app.log_identity();

drop index ai_events_news;
