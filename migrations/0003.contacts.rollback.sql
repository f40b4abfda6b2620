drop function app.identities_of(uuid, uuid);

drop table contact_identities;

drop table contacts;

drop table channels;
