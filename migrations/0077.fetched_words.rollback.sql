drop function app.users_who_fetch_words(uuid[]);

revoke select (user_id, provider, config) on connections from alfred_bus;

drop policy connections_bus on connections;
