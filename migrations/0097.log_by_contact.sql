-- depends: 0096.number_at

-- Who erases or merges a person looks for what the log tells of them. All of a contact share an entry: eleven bytes an
-- event.
create index ai_events_by_contact on ai_events (contact_id);
