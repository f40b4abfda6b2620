alter function app.take_in(jsonb) reset enable_mergejoin;

alter function app.take_in(jsonb) reset enable_hashjoin;

alter function app.take_in(jsonb) reset enable_seqscan;

alter function app.take_in(jsonb) reset plan_cache_mode;
