drop function app.hook_connection(uuid, uuid);
