drop function app.inbox_items(uuid, timestamptz, uuid, integer);

drop function app.send_policy(text, text, boolean, boolean, timestamptz, boolean);

drop function app.send_policy_of(text, text, timestamptz, boolean, boolean, text, text);

drop function app.json_of(timestamptz);

drop function app.json_word(text);

drop function app.json_of(text);
