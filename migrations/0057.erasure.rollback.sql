drop function app.take_in_wanted_known(jsonb);

drop function app.take_in_wanted(jsonb);

drop function app.forget_own_failures();

drop function app.forget_own_traces();

drop function app.forget_own_attempts(bigint[]);

drop function app.erased_items(jsonb);

drop table erasures;
