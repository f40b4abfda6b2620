drop function app.users_with_secrets();

drop function app.find_hook(bytea);

drop table channel_hooks;

drop table hook_keys;

drop table connection_secrets;

drop table connections;
