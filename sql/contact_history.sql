-- What is known of a contact over time: notes, and the timeline across its channels.

-- name: notes
-- Newest first.
select note_id as id, contact_id, text, created_at
  from contact_notes
 where user_id = :user_id and contact_id = :contact_id
   and (:before_at::timestamptz is null or (created_at, note_id) < (:before_at, :before_id::uuid))
 order by created_at desc, note_id desc
 limit :limit

-- name: add_note
-- Of a contact that is there: no row else.
insert into contact_notes (user_id, note_id, contact_id, text)
select user_id, :note_id, contact_id, :text
  from contacts
 where user_id = :user_id and contact_id = :contact_id
returning note_id as id, contact_id, text, created_at

-- name: remove_note
-- For good.
delete from contact_notes where user_id = :user_id and contact_id = :contact_id and note_id = :note_id

-- name: timeline
-- Newest first: of each source no more than a page. A match has the id of its rule; `place` tells two of them apart.
with own as (
    select conversation_id from conversations where user_id = :user_id and contact_id = :contact_id
)
(
    select m.sent_at as at, 'message' as kind, m.message_id as id, m.message_id as place, own.conversation_id,
           m.direction as title,
           case when m.body = '' then app.snippet(m.body, m.attachments) else left(m.body, 500) end as text
      from own
     cross join lateral (
        select i.sent_at, i.message_id, i.direction, i.body, i.attachments
          from messages i
         where i.user_id = :user_id and i.conversation_id = own.conversation_id
           and (:before_at::timestamptz is null or (i.sent_at, i.message_id) < (:before_at, :before_id::uuid))
         order by i.sent_at desc, i.message_id desc
         limit :limit) m
     order by 1 desc, 4 desc
     limit :limit
)
union all
(
    select created_at, 'task', task_id, task_id, conversation_id, title, left(description, 500)
      from tasks
     where user_id = :user_id and contact_id = :contact_id
       and (:before_at is null or (created_at, task_id) < (:before_at, :before_id))
     order by created_at desc, task_id desc
     limit :limit
)
union all
(
    select created_at, 'note', note_id, note_id, null, null, text
      from contact_notes
     where user_id = :user_id and contact_id = :contact_id
       and (:before_at is null or (created_at, note_id) < (:before_at, :before_id))
     order by created_at desc, note_id desc
     limit :limit
)
union all
(
    select merged_at, 'merge', merged_id, merged_id, null, coalesce(contact ->> 'name', contact ->> 'handle'), null
      from contact_merges
     where user_id = :user_id and contact_id = :contact_id
       and (:before_at is null or (merged_at, merged_id) < (:before_at, :before_id))
     order by merged_at desc, merged_id desc
     limit :limit
)
union all
(
    select m.matched_at, 'rule_match', m.rule_id, m.place, own.conversation_id, r.name, null
      from own
     cross join lateral (
        select i.rule_id, i.matched_at, md5(i.rule_id || i.subject)::uuid as place
          from rule_matches i
         where i.user_id = :user_id and i.conversation_id = own.conversation_id
           and (:before_at is null
                or (i.matched_at <= :before_at
                    and (i.matched_at, md5(i.rule_id || i.subject)::uuid) < (:before_at, :before_id)))
         order by i.matched_at desc, 3 desc
         limit :limit) m
      join rules r on r.user_id = :user_id and r.rule_id = m.rule_id
     order by 1 desc, 4 desc
     limit :limit
)
 order by 1 desc, 4 desc
 limit :limit
