-- depends: 0014.snoozed

-- A batch may hold the messages of several tenants: what one of them keeps locked, the others do not wait for long.
alter function app.take_in(jsonb) set lock_timeout = '2s';
