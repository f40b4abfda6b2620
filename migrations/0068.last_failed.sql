-- depends: 0067.own_tickets

-- Whether a conversation's last message has failed, without a look at its messages: the one that failed is noted, and
-- is compared with the last. Whoever changes a message's status has locked its conversation.
alter table conversations add column failed_message_id uuid;

create function app.note_failure() returns trigger
language plpgsql volatile
as $$
begin
    update conversations c
       set failed_message_id = case when new.status = 'failed' then new.message_id end
     where c.user_id = new.user_id and c.conversation_id = new.conversation_id and c.last_message_id = new.message_id;
    return null;
end $$;

create trigger messages_note_failure after update of status on messages
    for each row
    when (new.direction = 'outbound' and (old.status = 'failed') <> (new.status = 'failed'))
    execute function app.note_failure();

alter table conversations no force row level security;

alter table messages no force row level security;

update conversations c
   set failed_message_id = m.message_id
  from messages m
 where m.status = 'failed' and m.direction = 'outbound'
   and m.user_id = c.user_id and m.message_id = c.last_message_id;

alter table conversations force row level security;

alter table messages force row level security;

-- As before, with what the list shows of it at the end.
drop function app.inbox_page(uuid, timestamptz, uuid, integer);

create function app.inbox_page(p_user uuid, p_before_at timestamptz, p_before_id uuid, p_limit integer)
returns table (
    id uuid, status text, unread_count integer, sentiment text, urgency text, negotiation boolean, snippet text,
    last_message_at timestamptz, last_message_direction text, waiting_since timestamptz, tags text[],
    snoozed_until timestamptz, created_at timestamptz, updated_at timestamptz, active_at timestamptz,
    contact_id uuid, contact_name text, contact_handle text, contact_vip boolean,
    channel_id uuid, channel_type text, channel_name text, channel_active boolean,
    provider text, options jsonb, last_inbound_at timestamptz, opted_out_at timestamptz,
    last_message_failed boolean
)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_bitmapscan = off set enable_sort = off
as $$
#variable_conflict use_column
begin
    perform app.act_as(p_user);
    return query
        select c.conversation_id, c.status, c.unread_count, c.sentiment, c.urgency, c.negotiation, c.snippet,
               c.last_message_at, c.last_message_direction, c.waiting_since, c.tags, c.snoozed_until,
               c.created_at, c.updated_at, c.active_at,
               t.contact_id, t.name, c.handle, t.vip,
               h.channel_id, h.type, h.name, h.active,
               k.provider, k.options, c.last_inbound_at, t.opted_out_at,
               coalesce(c.failed_message_id = c.last_message_id, false)
          from conversations c
         cross join lateral (
               select * from contacts t where t.user_id = c.user_id and t.contact_id = c.contact_id offset 0) t
         cross join lateral (
               select * from channels h where h.user_id = c.user_id and h.channel_id = c.channel_id offset 0) h
          left join lateral (
               select * from connections k where k.user_id = c.user_id and k.channel_id = c.channel_id offset 0) k on true
         where c.user_id = p_user
           and (c.active_at, c.conversation_id)
               < (coalesce(p_before_at, 'infinity'), coalesce(p_before_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
         order by c.active_at desc, c.conversation_id desc
         limit p_limit;
end $$;
