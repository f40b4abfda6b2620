drop function app.bus_next_retry(text[]);

drop function app.bus_done(text, uuid, bigint[]);

drop function app.bus_turn(text[], uuid, text, integer);

drop function app.bus_put_aside(text, uuid[], bigint[]);

drop function app.bus_look(text[], jsonb[], text[], smallint[], integer);

drop function app.bus_unread(bus_cursors, pg_snapshot);

drop function app.bus_present();

alter table rule_matches drop column pending;

-- What waits for its turn is tried again by the version before, as what has failed once.
insert into event_retries (consumer, number, user_id, next_at, error)
select consumer, number, user_id, now(), 'Waiting: for its turn' from event_backlog
    on conflict do nothing;

drop table event_backlog;
