drop function app.bus_revive();

drop function app.bus_dead();

drop function app.bus_settled(text, bigint);

drop function app.bus_retry(text);

drop function app.bus_failed(text, bigint, uuid, text, interval, integer);

drop function app.bus_news(smallint, bus_cursors);

drop function app.bus_read(text, smallint, text[], integer);

drop function app.bus_join(text);

drop function app.record(uuid, text, uuid, uuid, uuid, uuid, jsonb);

create or replace function app.erase_own_user() returns void
language sql volatile security definer set search_path = public, pg_temp
as $$ delete from users where user_id = app.current_user_id() $$;

drop table event_retries;

drop table bus_cursors;

drop table ai_events;

drop sequence ai_events_number;
