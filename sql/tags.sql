-- Tags: the words that conversations are sorted by.

-- name: counts
-- Each tag and how many conversations have it, no further than is told: from one tag the index leads to the next.
-- The order keeps the count to the index, whatever part of the table the planner expects to have the tag.
with recursive known (tag) as (
    (select tag from conversation_tags where user_id = :user_id order by tag limit 1)
    union all
    select (select t.tag from conversation_tags t
             where t.user_id = :user_id and t.tag > known.tag order by t.tag limit 1)
      from known
     where known.tag is not null
)
select tag, (select count(*) from (select from conversation_tags t
                                    where t.user_id = :user_id and t.tag = known.tag
                                    order by t.conversation_id limit :most_counted) f) as count
  from known
 where tag is not null
 limit :most
