drop function app.users_with_models();

alter table ai_suggestions
    drop constraint ai_suggestions_fallback,
    drop column used,
    drop column fallback_reason,
    drop column cost,
    drop column milliseconds,
    drop column output_tokens,
    drop column input_tokens,
    drop column input_hash,
    drop column prompt_version,
    drop column model;

drop table ai_usage;

drop table ai_providers;
