create or replace function app.conversation_for(p_user uuid, p_channel uuid, p_contact uuid, p_handles text[])
returns conversations
language plpgsql volatile
as $$
declare
    v_found conversations;
begin
    select * into v_found from conversations c
     where c.user_id = p_user and c.channel_id = p_channel and c.handle = any (p_handles)
       and (c.handle = p_handles[1] or c.contact_id = p_contact)
     order by array_position(p_handles, c.handle) limit 1 for no key update;
    if not found then
        insert into conversations (user_id, conversation_id, contact_id, channel_id, handle)
        values (p_user, app.uuid7(), p_contact, p_channel, p_handles[1])
        on conflict do nothing
        returning * into v_found;
        if found then
            perform app.record(p_user, 'conversation.created', p_contact, v_found.conversation_id);
        else
            select * into v_found from conversations c
             where c.user_id = p_user and c.channel_id = p_channel and c.handle = p_handles[1] for no key update;
        end if;
    end if;
    return v_found;
end $$;

drop function app.person_for(uuid, text, text[], jsonb, text);

drop function app.merge_told(uuid, text, uuid, uuid, text[], text[]);

drop function app.match_identity(uuid, text, uuid, text[], text[]);

drop function app.handles_of(uuid, text, uuid, text[]);

drop function app.move_to_contact(uuid, uuid, uuid);

drop function app.merge_contacts(uuid, uuid, uuid, boolean);

drop function app.may_be_one(uuid, text, uuid, uuid, text[]);

drop function app.may_have(uuid, text, uuid, text[]);

drop function app.identity_kind(text);

drop table parted_identities;

comment on column contact_identities.matched_as is
    'the identity that this one was recognised by (a Brazilian mobile without or with its ninth digit)';
