drop function app.bus_announce_digests(jsonb);

drop function app.scan_stalled(timestamptz, interval, integer, uuid);

drop function app.scan_overdue(timestamptz, integer, uuid);

drop function app.digest_of(uuid, uuid);

drop function app.begin_stalled(timestamptz, interval, uuid);

drop function app.begin_overdue(timestamptz, uuid);

revoke update (count, ids) on notifications from alfred_bus;

drop policy notifications_digest on notifications;

drop table scan_digests;
