create index ai_events_unread on ai_events (bucket, xid, number);
