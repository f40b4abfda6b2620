drop function app.bus_tell(text, jsonb, smallint[], integer, jsonb, uuid[], bigint[], integer);

drop function app.bus_notify(jsonb, jsonb);

drop function app.bus_words(jsonb, jsonb);
