-- depends: 0016.tickets

-- Who wrote a message and by which way, what a mail is about, which ad brought the customer, what was ordered.
alter table messages
    add column author      text,
    add column source      text,
    add column subject     text,
    add column references_ text,
    add column referral    jsonb,
    add column "order"     jsonb,
    add constraint messages_author check (author in ('person', 'automation')),
    add constraint messages_source check (source in ('api', 'rule', 'flow', 'native_app'));

comment on column messages.author is 'of an outbound message; null in older rows: a person';

comment on column messages.source is 'of an outbound message; null in older rows: api';

comment on column messages.references_ is 'of a mail: its own Message-ID and the ones before it, as an answer has to name them';

alter table contacts
    add column opted_out_at   timestamptz,
    add column first_referral jsonb,
    add column last_referral  jsonb;

create index contacts_opted_out on contacts (user_id, created_at desc, contact_id desc) where opted_out_at is not null;
