drop function app.take_in(jsonb);

drop function app.people_lock(uuid);

drop function app.take_in_watermark(uuid, jsonb);

drop function app.take_in_update(uuid, jsonb);

drop function app.message_for(uuid, text, text, text);

drop function app.take_in_message(uuid, jsonb);

drop function app.apply_waiting(uuid, text, text, uuid);

drop function app.refresh_conversation(uuid, uuid, uuid);

drop function app.apply_update(uuid, uuid, message_updates);

drop function app.status_rank(text);

drop function app.snippet(text, jsonb);

drop function app.conversation_for(uuid, uuid, uuid, text[]);

drop function app.contact_for(uuid, text, text[], text);

drop function app.known_identity(uuid, text, text[]);

drop function app.channel_for(uuid, text, text);

drop function app.known_channel(uuid, text, text);
