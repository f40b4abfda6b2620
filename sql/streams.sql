-- Live streams: the tickets that open them, and what may end them.

-- name: issue_ticket
-- For one stream, for one minute; it ends with what it was issued to.
select app.issue_ticket(:user_id, :ticket_hash, now() + make_interval(secs => :ttl), :token_id, :session_id, :until)

-- name: redeem_ticket
-- Spent by looking.
select * from app.redeem_opener(:ticket_hash)

-- name: ended
-- Which of the open streams may not go on, by their place in the lists.
-- Bounded by the streams given.
select app.streams_ended(:users, :tokens, :sessions)
