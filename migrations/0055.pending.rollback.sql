drop index rule_matches_pending;
