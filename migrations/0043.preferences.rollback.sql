drop function app.search_matches(text, uuid[]);

drop function app.excerpt(text, text, text);

alter table users drop column preferences;
