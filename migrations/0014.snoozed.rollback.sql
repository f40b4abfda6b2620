drop function app.wake_snoozed(timestamptz, integer);

revoke update (status, snoozed_until, updated_at) on conversations from alfred_scan;

drop index conversations_asleep;
