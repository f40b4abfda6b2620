drop function app.bus_with_cancellable(uuid[], uuid[]);

drop function app.bus_with_files(uuid[], uuid[]);

revoke select (status, cancel_on_reply) on messages from alfred_bus;
