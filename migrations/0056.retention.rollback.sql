drop function app.forget_old(text, timestamptz, integer);

drop function app.forget_old_matches(timestamptz, integer);

drop function app.forget_old_payloads(timestamptz, uuid, integer);

drop function app.forget_old_events(timestamptz, text[], smallint, text, bigint, integer);

revoke select (user_id) on users from alfred_scan;

revoke select (user_id, message_id), delete on message_payloads from alfred_scan;

revoke select (user_id, channel_type, external_id, kind, detail, created_at), update (created_at), delete on message_updates from alfred_scan;

revoke select (user_id, notification_id, seen_at), update (seen_at), delete on notifications from alfred_scan;

revoke select (user_id, rule_id, old_matches, old_match_at), update (old_matches, old_match_at) on rules from alfred_scan;

revoke select (user_id, rule_id, subject, matched_at, pending), update (pending), delete on rule_matches from alfred_scan;

revoke select (user_id, suggestion_id, created_at), update (created_at), delete on ai_suggestions from alfred_scan;

revoke select (user_id, merged_id, merged_at), update (merged_at), delete on contact_merges from alfred_scan;

revoke select (user_id, path, key, claimed_at), update (claimed_at), delete on idempotency_keys from alfred_scan;

revoke select (user_id, rejected_id, created_at), update (created_at), delete on rejected_webhooks from alfred_scan;

revoke select (user_id, ignored_id, received_at), update (received_at), delete on ignored_items from alfred_scan;

revoke select (user_id, token_id, expires_at), update (expires_at), delete on api_tokens from alfred_scan;

revoke select (token_hash, expires_at), update (expires_at), delete on refresh_tokens from alfred_scan;

revoke select (ticket_hash, expires_at), update (expires_at), delete on stream_tickets from alfred_scan;

revoke select (user_id, session_id, expires_at, ends_at, ended_at), update (ended_at), delete on sessions from alfred_scan;

revoke select, update (failed_at), delete on login_failures from alfred_scan;

revoke select (consumer, number, state, created_at), update (created_at), delete on event_retries from alfred_scan;

revoke select on event_backlog, bus_cursors from alfred_scan;

revoke select (user_id, number, xid, created_at), delete on ai_events from alfred_scan;

revoke execute on function app.begin_log_at(timestamptz) from alfred_scan;

drop policy users_scan on users;

drop policy message_payloads_scan on message_payloads;

drop policy message_updates_scan on message_updates;

drop policy notifications_scan on notifications;

drop policy rules_scan on rules;

drop policy rule_matches_scan on rule_matches;

drop policy ai_suggestions_scan on ai_suggestions;

drop policy contact_merges_scan on contact_merges;

drop policy idempotency_keys_scan on idempotency_keys;

drop policy rejected_webhooks_scan on rejected_webhooks;

drop policy ignored_items_scan on ignored_items;

drop policy api_tokens_scan on api_tokens;

drop policy refresh_tokens_scan on refresh_tokens;

drop policy stream_tickets_scan on stream_tickets;

drop policy sessions_scan on sessions;

drop policy login_failures_scan on login_failures;

drop policy event_retries_scan on event_retries;

drop policy event_backlog_scan on event_backlog;

drop policy bus_cursors_scan on bus_cursors;

drop index message_updates_by_age;

drop index notifications_by_age;

drop index rule_matches_by_age;

drop index ai_suggestions_by_age;

drop index contact_merges_by_age;

drop index idempotency_keys_oldest;

drop index rejected_webhooks_oldest;

drop index ignored_items_oldest;

drop index api_tokens_by_expiry;

drop index refresh_tokens_by_expiry;

drop index stream_tickets_by_expiry;

drop index sessions_by_end;

drop index login_failures_by_age;

drop index event_retries_dead;

alter table rules
    drop column old_match_at,
    drop column old_matches;
