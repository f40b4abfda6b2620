grant create on schema app to alfred_auth, alfred_bus, alfred_scan, alfred_search;

drop function app.search_contacts(text);

drop function app.search_conversations(text);
