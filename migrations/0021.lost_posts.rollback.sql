alter table notifications
    drop column ids,
    drop column count;

drop function app.owner_of_token(bytea);

drop table lost_posts;
