drop function app.find_media(uuid, uuid, integer);

drop function app.forget_unused_media(timestamptz);

drop function app.unknown_media(uuid[], text[]);

drop function app.media_due_in();

drop function app.claim_media(integer, interval, uuid[]);

drop table media;
