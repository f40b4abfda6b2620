drop function app.begin_log_at(timestamptz);

drop function app.log_begins_at();

drop table event_log;
