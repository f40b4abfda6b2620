-- depends: 0041.waiting

-- A message that comes in makes its customer wait; one that was written elsewhere answers them.
create or replace function app.show_message(p_user uuid, p_item jsonb, p_conversation conversations, p_direction text, p_sent_at timestamptz)
returns void
language plpgsql volatile
as $$
declare
    v_message    uuid    := (p_item ->> 'message_id')::uuid;
    v_classified jsonb   := p_item -> 'classification';
    v_inbound    boolean := p_direction = 'inbound';
    v_newest     boolean := p_conversation.last_message_at is null
                         or (p_sent_at, v_message) > (p_conversation.last_message_at, p_conversation.last_message_id);
    v_newest_in  boolean := v_inbound and (p_conversation.last_inbound_at is null
                         or (p_sent_at, v_message) > (p_conversation.last_inbound_at, p_conversation.last_inbound_id));
begin
    update conversations c
       set unread_count           = c.unread_count + v_inbound::integer,
           waiting_since          = app.waiting_since(c, p_direction, p_sent_at),
           status                 = case when v_inbound and c.status in ('closed', 'snoozed') then 'open' else c.status end,
           snoozed_until          = case when v_inbound then null else c.snoozed_until end,
           last_message_id        = case when v_newest then v_message else c.last_message_id end,
           last_message_at        = case when v_newest then p_sent_at else c.last_message_at end,
           active_at              = case when v_newest then p_sent_at else c.active_at end,
           last_message_direction = case when v_newest then p_direction else c.last_message_direction end,
           snippet                = case when v_newest then app.snippet(coalesce(p_item ->> 'text', ''), p_item -> 'attachments')
                                         else c.snippet end,
           last_inbound_id        = case when v_newest_in then v_message else c.last_inbound_id end,
           last_inbound_at        = case when v_newest_in then p_sent_at else c.last_inbound_at end,
           sentiment              = case when v_newest_in then v_classified ->> 'sentiment' else c.sentiment end,
           urgency                = case when v_newest_in then v_classified ->> 'urgency' else c.urgency end,
           negotiation            = case when v_newest_in then (v_classified ->> 'negotiation')::boolean else c.negotiation end,
           updated_at             = now()
     where c.user_id = p_user and c.conversation_id = p_conversation.conversation_id;
end $$;
