drop function app.take_in_echo(uuid, jsonb);

alter function app.take_in_new_echo(uuid, jsonb) rename to take_in_echo;

drop function app.bind_claimed(uuid, jsonb);

drop function app.bind_echo(uuid, jsonb);

drop function app.echo_conversations(uuid, jsonb);

drop function app.is_echo_of(jsonb, text, jsonb);

drop function app.plain_text(text);
