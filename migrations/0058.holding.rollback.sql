create or replace function app.hold_conversations(p_user uuid, p_items jsonb) returns void
language plpgsql volatile
as $$
begin
    perform 1 from conversations c
     where c.user_id = p_user and c.conversation_id in (
        select v.conversation_id from jsonb_array_elements(p_items) i
          join contact_identities t on t.user_id = p_user and t.channel_type = i ->> 'channel_type'
           and t.value in (select jsonb_array_elements_text(i -> 'handles'))
          join conversations v on v.user_id = p_user and v.contact_id = t.contact_id
        union
        select m.conversation_id from jsonb_array_elements(p_items) i
          join channels h on h.user_id = p_user and h.type = i ->> 'channel_type'
          join messages m on m.user_id = p_user and m.channel_id = h.channel_id
           and m.dedupe_key in (i ->> 'target', i ->> 'dedupe_key'))
     order by c.conversation_id for no key update;
end $$;
