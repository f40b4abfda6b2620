drop function app.number_at(timestamptz);

drop function app.moment_of(uuid);
