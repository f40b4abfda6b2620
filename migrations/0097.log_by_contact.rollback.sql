drop index ai_events_by_contact;
