drop trigger messages_wait_again on messages;

drop function app.wait_again();
