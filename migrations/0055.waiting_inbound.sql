-- depends: 0054.waiting

-- A message that comes in makes its customer wait, or answers them (an echo of what was written elsewhere): one line
-- more in the function that moves the conversation, whatever else it does.
do $$
declare
    v_function regprocedure := coalesce(
        to_regprocedure('app.show_message(uuid, jsonb, conversations, text, timestamptz)'),
        to_regprocedure('app.take_in_message(uuid, jsonb)'));
    v_text     text := pg_get_functiondef(v_function);
    v_line     text := substring(v_text from 'unread_count           = c\.unread_count \+ [^\n]+,');
begin
    if v_line is null then
        raise exception '% does not count unread messages as expected', v_function;
    elsif v_text not like '%waiting_since%' then
        execute replace(v_text, v_line, v_line || '
           waiting_since          = ' || case when v_text like '%p_direction text%'
                                              then 'app.waiting_since(c, p_direction, p_sent_at),'
                                              else 'app.waiting_since(c, ''inbound'', v_sent_at),' end);
    end if;
end $$;
