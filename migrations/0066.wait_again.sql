-- depends: 0065.mail_files

-- What was not sent answers nobody: when a message fails, or is called off, its customer waits again; when it goes out
-- after all, no more. Whoever changes a message's status has locked its conversation.
create function app.wait_again() returns trigger
language plpgsql volatile
as $$
begin
    update conversations c
       set waiting_since = app.first_unanswered(c.user_id, c.conversation_id), updated_at = now()
     where c.user_id = new.user_id and c.conversation_id = new.conversation_id and c.status <> 'closed'
       and c.waiting_since is distinct from app.first_unanswered(c.user_id, c.conversation_id);
    return null;
end $$;

create trigger messages_wait_again after update of status on messages
    for each row
    when (new.direction = 'outbound' and old.status <> 'scheduled' and new.status <> old.status
          and (old.status in ('failed', 'cancelled') or new.status in ('failed', 'cancelled')))
    execute function app.wait_again();
