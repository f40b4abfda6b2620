-- depends: 0064.keyed_page

-- The row of a message, of either direction, its payload and the files that came with it; false where it is there already.
create or replace function app.add_message(p_user uuid, p_item jsonb, p_conversation conversations, p_direction text, p_sent_at timestamptz)
returns boolean
language plpgsql volatile
as $$
begin
    insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key,
                          body, attachments, reply_to_id, status, classification, sent_at, author, source,
                          subject, references_, referral, "order")
    values (p_user, (p_item ->> 'message_id')::uuid, p_conversation.conversation_id, p_conversation.channel_id, p_direction,
            p_item ->> 'external_id', p_item ->> 'dedupe_key', coalesce(p_item ->> 'text', ''), p_item -> 'attachments',
            (select r.message_id from messages r
              where r.user_id = p_user and r.channel_id = p_conversation.channel_id and r.dedupe_key = p_item ->> 'reply_to'),
            case p_direction when 'inbound' then 'received' else 'sent' end,
            nullif(p_item -> 'classification', 'null'), p_sent_at,
            case p_direction when 'outbound' then 'person' end, case p_direction when 'outbound' then 'native_app' end,
            p_item ->> 'subject', p_item ->> 'references',
            nullif(p_item -> 'referral', 'null'), nullif(p_item -> 'order', 'null'))
    on conflict do nothing;
    if not found then
        return false;
    end if;
    insert into message_payloads (user_id, message_id, payload)
    values (p_user, (p_item ->> 'message_id')::uuid, (p_item ->> 'raw')::json);
    insert into media (user_id, channel_id, message_id, position, state, sha256, size, mime_type, file_name, error)
    select p_user, p_conversation.channel_id, (p_item ->> 'message_id')::uuid, f.position - 1, f.file ->> 'state',
           f.file ->> 'sha256', (f.file ->> 'size')::bigint, f.file ->> 'mime_type', f.file ->> 'file_name',
           nullif(f.file -> 'error', 'null')
      from jsonb_array_elements(p_item -> 'files') with ordinality as f (file, position)
     where f.file <> 'null';
    return true;
end $$;
