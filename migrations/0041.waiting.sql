-- depends: 0040.sessions

-- Since when a customer waits: the first message that nobody has answered. Null when the last word is ours, and in a
-- closed conversation.
alter table conversations add column waiting_since timestamptz;

-- From the messages themselves, for where the row does not tell: a late message, a conversation that is opened again.
-- What was not sent answers nobody. It looks at the newest 500 messages.
create function app.first_unanswered(p_user uuid, p_conversation uuid) returns timestamptz
language sql stable
as $$
    with newest as (
        select direction, status, sent_at, message_id from messages
         where user_id = p_user and conversation_id = p_conversation
         order by sent_at desc, message_id desc
         limit 500
    ), answer as (
        select sent_at, message_id from newest
         where direction = 'outbound' and status not in ('failed', 'scheduled', 'cancelled')
         order by sent_at desc, message_id desc
         limit 1
    )
    select min(sent_at) from newest
     where direction = 'inbound'
       and ((sent_at, message_id) > (select sent_at, message_id from answer) or not exists (select from answer))
$$;

-- Since when the customer of a conversation waits after one message more; p_before is the row before it. Whoever
-- stores a message writes this into waiting_since.
create function app.waiting_since(p_before conversations, p_direction text, p_sent_at timestamptz) returns timestamptz
language sql stable
as $$
    select case when p_before.status = 'closed' and p_direction = 'outbound' then null
                when p_sent_at < p_before.last_message_at
                then app.first_unanswered(p_before.user_id, p_before.conversation_id)
                when p_direction = 'outbound' then null
                else coalesce(p_before.waiting_since, p_sent_at) end
$$;

alter table conversations no force row level security;

alter table messages no force row level security;

update conversations
   set waiting_since = app.first_unanswered(user_id, conversation_id)
 where status <> 'closed' and last_message_direction = 'inbound';

alter table conversations force row level security;

alter table messages force row level security;

-- The inbox through each of its filters: a page and a count read no more rows than they show.
create index conversations_by_status on conversations (user_id, status, active_at desc, conversation_id desc);

create index conversations_unread on conversations (user_id, active_at desc, conversation_id desc)
 where unread_count > 0;

create index conversations_urgent on conversations (user_id, active_at desc, conversation_id desc)
 where urgency = 'high';

create index conversations_negative on conversations (user_id, active_at desc, conversation_id desc)
 where sentiment = 'negative';

create index conversations_negotiation on conversations (user_id, active_at desc, conversation_id desc)
 where negotiation;

create index conversations_waiting on conversations (user_id, active_at desc, conversation_id desc)
 where waiting_since is not null;

-- The longest waiting first, then those that do not wait.
create index conversations_by_waiting on conversations
    (user_id, (coalesce(waiting_since, 'infinity'::timestamptz)), active_at, conversation_id);
