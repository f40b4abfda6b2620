drop function app.scan_stalled(timestamptz, interval, integer);

drop function app.scan_overdue(timestamptz, integer);

drop function app.claim_scan(text, timestamptz);

drop table scan_runs;

revoke all on sequence ai_events_number from alfred_scan;

revoke all on ai_events from alfred_scan;

revoke select (bucket) on ai_events from alfred_scan;

drop policy ai_events_scan on ai_events;

revoke all on conversations from alfred_scan;

revoke update (stalled_announced_for) on conversations from alfred_scan;

drop policy conversations_scan on conversations;

drop index conversations_to_announce;

alter table conversations drop column stalled_announced_for;

drop table tasks;
