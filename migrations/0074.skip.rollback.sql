drop function app.bus_skip(text[], jsonb[], text[], smallint[]);
