drop function app.search_page(text, timestamptz, uuid, integer);
