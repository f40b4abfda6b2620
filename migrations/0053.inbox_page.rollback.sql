drop function app.inbox_page(uuid, timestamptz, uuid, integer);
