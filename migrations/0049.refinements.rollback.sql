drop function app.refinements_due_in();

drop function app.claim_refinements(integer, interval, uuid[]);

drop function app.users_who_refine(uuid[]);

revoke select (user_id, features) on ai_providers from alfred_bus;

drop policy ai_providers_bus on ai_providers;

drop table ai_refinements;
