drop function app.delivery_lag();

drop function app.connection_of(uuid, uuid);
