drop index conversations_by_channel;

drop function app.tags_with(text[], text[], text[]);

drop table conversation_tags;
