drop function app.users_with_flows(uuid[]);

drop function app.users_with_rules(uuid[]);

drop table flows;

drop table rule_matches;

drop table rules;
