drop function app.erase_own_user();

drop function app.change_own_password(text);

drop function app.own_password_hash();

drop function app.end_session(bytea);

drop function app.renew_session(bytea, bytea, timestamptz);

drop function app.start_session(uuid, uuid, bytea, timestamptz);

drop function app.login_failed(text, text);

drop function app.find_login(text, text, interval);

drop function app.register(uuid, text, text, text, text, text, text, text);

drop function app.act_as(uuid);

drop table refresh_tokens;

drop table login_failures;

drop table logins;

drop table users;
