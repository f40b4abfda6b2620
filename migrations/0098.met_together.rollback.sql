drop function app.take_in_new(jsonb);

drop function app.meet(uuid, jsonb);
