drop table facts;
