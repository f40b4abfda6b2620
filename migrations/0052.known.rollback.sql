drop function app.take_in_known(jsonb);

revoke usage on sequence ai_events_number from alfred_intake;

revoke select (user_id, channel_type, external_id) on message_updates from alfred_intake;

revoke insert on message_payloads, ai_events from alfred_intake;

revoke select (user_id, message_id, channel_id, dedupe_key), insert on messages from alfred_intake;

revoke update (unread_count, waiting_since, last_message_id, last_message_at, active_at, last_message_direction, snippet,
               last_inbound_id, last_inbound_at, sentiment, urgency, negotiation, updated_at)
    on conversations from alfred_intake;

revoke select on conversations from alfred_intake;

revoke select (user_id, channel_type, value, contact_id, matched_as) on contact_identities from alfred_intake;

revoke select (user_id, contact_id, name) on contacts from alfred_intake;

revoke select (user_id, channel_id, type, external_account_id) on channels from alfred_intake;

drop policy ai_events_intake on ai_events;

drop policy message_updates_intake on message_updates;

drop policy message_payloads_intake on message_payloads;

drop policy messages_intake_add on messages;

drop policy messages_intake on messages;

drop policy conversations_intake_show on conversations;

drop policy conversations_intake on conversations;

drop policy contact_identities_intake on contact_identities;

drop policy contacts_intake on contacts;

drop policy channels_intake on channels;

revoke usage on schema app from alfred_intake;
