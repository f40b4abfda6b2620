-- depends: 0054.waiting

-- A message that comes in makes its customer wait: one line more in app.take_in_message, whatever else it does.
do $$
declare
    v_text text := pg_get_functiondef('app.take_in_message(uuid, jsonb)'::regprocedure);
    v_line text := 'unread_count           = c.unread_count + 1,';
begin
    if v_text not like '%waiting_since%' then
        if position(v_line in v_text) = 0 then
            raise exception 'app.take_in_message does not count unread messages as expected';
        end if;
        execute replace(v_text, v_line, v_line || '
           waiting_since          = app.waiting_since(c, ''inbound'', v_sent_at),');
    end if;
end $$;
