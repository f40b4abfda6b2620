-- depends: 0047.ai_providers

-- What replies may claim: short texts (hours, delivery, payment), and products with their prices.
create table facts (
    user_id    uuid        not null,
    fact_id    uuid        not null,
    kind       text        not null,
    name       text        not null,
    text       text,
    tags       text[]      not null default '{}',
    sku        text,
    aliases    text[]      not null default '{}',
    price      numeric(14, 2),
    floor      numeric(14, 2),
    currency   text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint facts_key primary key (user_id, fact_id),
    constraint facts_kind check (kind in ('text', 'product')),
    constraint facts_product check (kind = 'product' or (price is null and floor is null and sku is null)),
    constraint facts_floor check (floor <= price),
    constraint facts_user foreign key (user_id) references users on delete cascade
);

comment on column facts.floor is 'no suggested price is lower; it is told to nobody but the seller';

create index facts_by_time on facts (user_id, created_at desc, fact_id desc);

alter table facts enable row level security;

alter table facts force row level security;

create policy facts_own on facts
    using (user_id = app.current_user_id()) with check (user_id = app.current_user_id());

grant select, insert, update, delete on facts to alfred_app;
