drop table idempotency_keys;

drop function app.find_token(bytea);

drop table api_token_hashes;

drop table api_tokens;
