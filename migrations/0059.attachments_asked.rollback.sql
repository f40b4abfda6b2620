grant create on schema app to alfred_bus;

drop function app.bus_situations(uuid[], uuid[], uuid[], uuid[]);

-- Everything that conditions may ask of some events' messages (else the customer's last), contacts and conversations;
-- a row for each event, in their order.
create function app.bus_situations(p_users uuid[], p_conversations uuid[], p_messages uuid[], p_contacts uuid[])
returns table (
    timezone text, locale text, text text, classification jsonb, sent_at timestamptz, direction text, channel text,
    contact_id uuid, contact_name text, contact_handle text, vip boolean, negotiation_mode text,
    conversation_id uuid, status text, tags text[], unread_count integer
)
language plpgsql stable security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
#variable_conflict use_column
begin
    return query
        select u.timezone, u.locale,
               coalesce(m.body, ''), m.classification, m.sent_at, m.direction,
               h.type,
               c.contact_id, c.name, c.handle, coalesce(c.vip, false),
               case when coalesce(c.negotiation_enabled, true) then coalesce(c.negotiation_mode, 'suggest') else 'off' end,
               v.conversation_id, coalesce(v.status, 'open'), coalesce(v.tags, '{}'), coalesce(v.unread_count, 0)
          from unnest(p_users, p_conversations, p_messages, p_contacts) with ordinality
               as e (user_id, conversation_id, message_id, contact_id, at)
          left join users u on u.user_id = e.user_id
          left join conversations v on v.user_id = e.user_id and v.conversation_id = e.conversation_id
          left join messages m on m.user_id = e.user_id and m.message_id = coalesce(e.message_id, (
               select i.message_id from messages i
                where i.user_id = e.user_id and i.conversation_id = v.conversation_id and i.direction = 'inbound'
                  and i.deleted_at is null
                order by i.sent_at desc, i.message_id desc
                limit 1))
          left join channels h on h.user_id = e.user_id and h.channel_id = v.channel_id
          left join contacts c on c.user_id = e.user_id and c.contact_id = coalesce(v.contact_id, e.contact_id)
         order by e.at;
end $$;

alter function app.bus_situations(uuid[], uuid[], uuid[], uuid[]) owner to alfred_bus;

revoke execute on function app.bus_situations(uuid[], uuid[], uuid[], uuid[]) from public;

grant execute on function app.bus_situations(uuid[], uuid[], uuid[], uuid[]) to alfred_app;

revoke create on schema app from alfred_bus;

revoke select (created_at) on conversations from alfred_bus;
