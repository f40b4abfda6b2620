drop function app.bus_state();
