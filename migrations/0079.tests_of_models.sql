-- depends: 0078.narrow_pages

-- What a test of a model spends counts too.
alter table ai_usage
    drop constraint ai_usage_feature,
    add constraint ai_usage_feature check (feature in ('reply', 'price', 'follow_up', 'refine', 'test'));
