do $$
begin
    execute replace(pg_get_functiondef('app.take_in_message(uuid, jsonb)'::regprocedure), '
           waiting_since          = app.waiting_since(c, ''inbound'', v_sent_at),', '');
end $$;
