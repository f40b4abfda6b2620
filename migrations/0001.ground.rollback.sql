-- The roles stay: another database of the cluster may use them.
drop schema app cascade;

drop extension if exists btree_gin;

drop extension if exists unaccent;

drop extension if exists pg_trgm;
