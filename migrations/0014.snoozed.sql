-- depends: 0013.merges

-- A snoozed conversation wakes by itself.
create index conversations_asleep on conversations (snoozed_until) where status = 'snoozed' and snoozed_until is not null;

grant update (status, snoozed_until, updated_at) on conversations to alfred_scan;

grant create on schema app to alfred_scan;

create function app.wake_snoozed(p_now timestamptz, p_limit integer) returns table (bucket smallint, found bigint)
language sql volatile security definer set search_path = public, pg_temp
as $$
    with due as (
        select user_id, conversation_id from conversations
         where status = 'snoozed' and snoozed_until <= p_now
         order by snoozed_until limit p_limit
           for update skip locked
    ), woken as (
        update conversations c set status = 'open', snoozed_until = null, updated_at = p_now from due
         where c.user_id = due.user_id and c.conversation_id = due.conversation_id
        returning c.user_id, c.contact_id, c.conversation_id
    ), told as (
        insert into ai_events (user_id, type, contact_id, conversation_id, payload)
        select user_id, 'conversation.updated', contact_id, conversation_id,
               jsonb_build_object('status', 'open', 'was', 'snoozed')
          from woken
        returning bucket
    )
    select bucket, count(*) from told group by bucket
$$;

alter function app.wake_snoozed(timestamptz, integer) owner to alfred_scan;

revoke create on schema app from alfred_scan;
