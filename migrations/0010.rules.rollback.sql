drop table flows;

drop table rule_matches;

drop table rules;
