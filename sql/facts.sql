-- What the seller lets replies claim.

-- name: page
-- Newest first; a text is looked for in names and other names, without regard to case and accents.
select fact_id as id, kind, name, text, tags, sku, aliases, price, floor, currency, created_at, updated_at
  from facts
 where user_id = :user_id
   and (:kind::text is null or kind = :kind)
   and (:tag::text is null or :tag = any (tags))
   and (:q::text is null or app.norm(concat_ws(' ', name, sku, array_to_string(aliases, ' '))) like app.like_pattern(:q))
   and (:before_at::timestamptz is null or (created_at, fact_id) < (:before_at, :before_id::uuid))
 order by created_at desc, fact_id desc
 limit :limit

-- name: get
-- One.
select fact_id as id, kind, name, text, tags, sku, aliases, price, floor, currency, created_at, updated_at
  from facts
 where user_id = :user_id and fact_id = :fact_id

-- name: add
-- At most so many of a tenant; two at once may go over it by one, which hurts nobody.
insert into facts (user_id, fact_id, kind, name, text, tags, sku, aliases, price, floor, currency)
select :user_id, :fact_id, :kind, :name, :text, :tags::text[], :sku, :aliases::text[], :price::numeric, :floor::numeric,
       :currency
 where (select count(*) from facts where user_id = :user_id) < :most

-- name: change
-- All of it anew.
update facts
   set name = :name, text = :text, tags = :tags::text[], sku = :sku, aliases = :aliases::text[],
       price = :price::numeric, floor = :floor::numeric, currency = :currency, updated_at = now()
 where user_id = :user_id and fact_id = :fact_id

-- name: remove
-- For good.
delete from facts where user_id = :user_id and fact_id = :fact_id

-- name: relevant
-- Those that a customer's words are about, the likest first: by a tag, or by the likeness of a name in them.
select f.fact_id, f.kind, f.name, f.text, f.tags, f.price, f.floor, f.currency, l.likeness
  from facts f
 cross join lateral (
       select max(word_similarity(app.norm(n), app.norm(:said))) as likeness
         from unnest(f.aliases || array[f.name] || coalesce(array[f.sku], '{}')) n) l
 where f.user_id = :user_id and (l.likeness >= 0.6 or f.tags && :tags::text[])
 order by l.likeness desc, f.created_at desc, f.fact_id desc
 limit 8
