-- depends: 0054.sift

-- The matches whose actions wait for the tenant's next turn.
create index rule_matches_pending on rule_matches (user_id, subject) where pending;
