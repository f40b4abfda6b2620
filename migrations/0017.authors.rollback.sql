drop index contacts_opted_out;

alter table contacts
    drop column last_referral,
    drop column first_referral,
    drop column opted_out_at;

alter table messages
    drop constraint messages_source,
    drop constraint messages_author,
    drop column "order",
    drop column referral,
    drop column references_,
    drop column subject,
    drop column source,
    drop column author;
