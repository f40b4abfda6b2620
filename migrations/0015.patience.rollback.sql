alter function app.take_in(jsonb) reset lock_timeout;
