revoke update (contact_id) on notifications from alfred_app;

revoke update (contact_id) on ai_events from alfred_app;

drop table contact_merges;
