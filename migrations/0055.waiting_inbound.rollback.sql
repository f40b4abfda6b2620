do $$
declare
    v_function regprocedure := coalesce(
        to_regprocedure('app.show_message(uuid, jsonb, conversations, text, timestamptz)'),
        to_regprocedure('app.take_in_message(uuid, jsonb)'));
begin
    execute regexp_replace(pg_get_functiondef(v_function), '\n +waiting_since          = app\.waiting_since\([^\n]*', '');
end $$;
