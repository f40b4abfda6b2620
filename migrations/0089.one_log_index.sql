-- depends: 0088.log_order

-- Apart from what has built the other: a lock that lets nobody read, for a moment, is not waited for under one that lets
-- nobody write.
drop index ai_events_unread;
