-- Conversations: the inbox.

-- part: shown
select c.conversation_id as id, c.status, c.unread_count, c.sentiment, c.urgency, c.negotiation, c.snippet,
       c.last_message_at, c.last_message_direction, c.waiting_since, c.tags, c.snoozed_until,
       c.created_at, c.updated_at, c.active_at,
       t.contact_id, t.name as contact_name, c.handle as contact_handle, t.vip as contact_vip,
       h.channel_id, h.type as channel_type, h.name as channel_name, h.active as channel_active,
       k.provider, k.options, c.last_inbound_at, t.opted_out_at,
       coalesce(c.failed_message_id = c.last_message_id, false) as last_message_failed
  from conversations c
  join contacts t on t.user_id = c.user_id and t.contact_id = c.contact_id
  join channels h on h.user_id = c.user_id and h.channel_id = c.channel_id
  left join connections k on k.user_id = c.user_id and k.channel_id = c.channel_id

-- part: filtered
conversations c
  left join conversation_tags g on g.user_id = :user_id and g.tag = :tag and g.conversation_id = c.conversation_id

-- part: filters
c.user_id = :user_id
   and (:status::text is null or c.status = :status)
   and (:channel::text is null
        or c.channel_id = any (array(select channel_id from channels where user_id = :user_id and type = :channel)))
   and (not :unread_only::boolean or c.unread_count > 0)
   and (:needs_reply::boolean is null or (c.waiting_since is not null) = :needs_reply)
   and (:negotiation::boolean is null or c.negotiation = :negotiation)
   and (:sentiment::text is null or c.sentiment = :sentiment)
   and (:urgency::text is null or c.urgency = :urgency)
   and (:tag::text is null or g.tag is not null)
   and (:contact_id::uuid is null or c.contact_id = :contact_id)
   and (:ids::uuid[] is null or c.conversation_id = any (:ids))
   and (:q::text is null or c.conversation_id = any (array(select app.search_conversations(:q))))

-- part: newest
(:before_at::timestamptz is null or (c.active_at, c.conversation_id) < (:before_at, :before_id::uuid))
 order by c.active_at desc, c.conversation_id desc
 limit :limit

-- name: page
-- By latest activity.
select c.conversation_id as id, c.active_at
  from {{filtered}}
 where {{filters}}
   and {{newest}}

-- name: page_of_channel
-- The same of a type of channel: the newest of each, so that a rare one is not looked for among all.
select newest.id, newest.active_at
  from channels h
 cross join lateral (
       select c.conversation_id as id, c.active_at
         from {{filtered}}
        where c.channel_id = h.channel_id
          and {{filters}}
          and {{newest}}) newest
 where h.user_id = :user_id and h.type = :channel
 order by newest.active_at desc, newest.id desc
 limit :limit

-- name: containing_rare
-- The conversations that hold a rare text, by a function, since LIKE may use no index under row level security.
-- Null where the text is looked for in what the filters show.
select app.search_rare(:q)

-- name: containing
-- Which of these hold the text. One row at most is read of each: a plan that hashes what fits would read all of it.
select c.conversation_id
  from conversations c
 where c.user_id = :user_id and c.conversation_id = any (:ids::uuid[])
   and coalesce((select true from messages m
                  where m.user_id = :user_id and m.conversation_id = c.conversation_id
                    and app.holds(m.norm, :q) limit 1),
                (select true from contacts t
                  where t.user_id = :user_id and t.contact_id = c.contact_id
                    and app.contact_holds(t.norm, :q) limit 1), false)

-- name: items
-- What a page shows, as JSON.
select convert_to(app.inbox_items_of(:ids), 'UTF8')

-- name: found_items_of
-- The same of a search: each with its newest message that holds the text.
select convert_to(app.found_items_of(:q, :ids, app.search_hits_of(:q, :is_common, :ids)), 'UTF8')

-- name: inbox
-- The page without filters: a statement of its own that puts on the hat, keeps its plan and writes the items as JSON.
select convert_to(items, 'UTF8') as items, last_at, last_id
  from app.inbox_items(:user_id, :before_at, :before_id, :limit)

-- name: found_items
-- The page of a search without filters.
select convert_to(items, 'UTF8') as items, last_at, last_id
  from app.found_items(:q, :before_at, :before_id, :limit)

-- name: page_by_waiting
-- Who waits longest comes first; who does not wait comes last.
select c.conversation_id as id, c.active_at, c.waiting_since
  from {{filtered}}
 where {{filters}}
   and (:after_id::uuid is null
        or (coalesce(c.waiting_since, 'infinity'), c.active_at, c.conversation_id)
           > (coalesce(:after_waiting::timestamptz, 'infinity'), :after_at::timestamptz, :after_id))
 order by coalesce(c.waiting_since, 'infinity'), c.active_at, c.conversation_id
 limit :limit

-- name: counts
-- Each from an index of its own, and no further than is told.
select (select count(*) from (select from conversations
                               where user_id = :user_id and status = 'open' limit :most) f) as open,
       (select count(*) from (select from conversations
                               where user_id = :user_id and status = 'pending' limit :most) f) as pending,
       (select count(*) from (select from conversations
                               where user_id = :user_id and status = 'snoozed' limit :most) f) as snoozed,
       (select count(*) from (select from conversations
                               where user_id = :user_id and status = 'closed' limit :most) f) as closed,
       (select count(*) from (select from conversations
                               where user_id = :user_id and unread_count > 0 limit :most) f) as unread,
       (select count(*) from (select from conversations
                               where user_id = :user_id and urgency = 'high' limit :most) f) as urgent,
       (select count(*) from (select from conversations
                               where user_id = :user_id and sentiment = 'negative' limit :most) f) as negative,
       (select count(*) from (select from conversations
                               where user_id = :user_id and negotiation limit :most) f) as negotiation,
       (select count(*) from (select from conversations
                               where user_id = :user_id and waiting_since is not null limit :most) f) as needs_reply

-- name: get
-- One, in the shape of the list.
{{shown}}
 where c.user_id = :user_id and c.conversation_id = :conversation_id

-- name: hold
-- Locked first by whoever writes into it: its events follow the order of commits.
select c.contact_id, c.channel_id, h.type
  from conversations c
  join channels h using (user_id, channel_id)
 where c.user_id = :user_id and c.conversation_id = :conversation_id
   for no key update of c

-- name: of_contact
-- The one that exists, the latest if a merge left several.
select conversation_id
  from conversations
 where user_id = :user_id and contact_id = :contact_id and channel_id = :channel_id
 order by active_at desc
 limit 1

-- name: open
-- Found or made; its event with it.
select conversation_id from app.conversation_for(:user_id, :channel_id, :contact_id, array[:handle])

-- part: another
((:status_to::text is not null and c.status <> :status_to)
        or (:set_snoozed::boolean and c.snoozed_until is distinct from :snoozed_until::timestamptz)
        or (:unread::boolean and c.unread_count = 0)
        or (not :unread and c.unread_count > 0)
        or (cardinality(:add_tags::text[]) + cardinality(:remove_tags::text[]) > 0
            and c.tags <> app.tags_with(c.tags, :add_tags, :remove_tags)))

-- part: tagged
tagged as (
    insert into conversation_tags (user_id, tag, conversation_id)
    select :user_id, tag, conversation_id from changed, unnest(tags) tag
        on conflict do nothing
), untagged as (
    delete from conversation_tags t using changed
     where t.user_id = :user_id and t.conversation_id = changed.conversation_id and t.tag <> all (changed.tags)
)

-- name: update
-- What is null stays as it is; waking up clears the alarm.
with changed as (
    update conversations
       set status        = coalesce(:status, status),
           tags          = coalesce(:tags, tags),
           snoozed_until = case when :set_snoozed::boolean then :snoozed_until
                                when :status is not null and :status <> 'snoozed' then null
                                else snoozed_until end,
           waiting_since = case when :status = 'closed' then null
                                when status = 'closed' and :status is not null
                                then app.first_unanswered(user_id, conversation_id)
                                else waiting_since end,
           updated_at    = now()
     where user_id = :user_id and conversation_id = :conversation_id
    returning contact_id, conversation_id, tags
), {{tagged}}
select contact_id from changed

-- name: missing
-- The first of these that is not there, by its place.
select n - 1
  from unnest(:ids::uuid[]) with ordinality as asked (id, n)
 where not exists (select from conversations where user_id = :user_id and conversation_id = id)
 order by n
 limit 1

-- name: change_many
-- Those that the change makes another, each with its event where more than reading changed; how many.
with picked as (
    select c.conversation_id
      from {{filtered}}
     where {{filters}} and {{another}}
     order by c.active_at desc, c.conversation_id desc
     limit :most
       for no key update of c
), changed as (
    update conversations c
       set status        = coalesce(:status_to, c.status),
           tags          = app.tags_with(c.tags, :add_tags, :remove_tags),
           snoozed_until = case when :set_snoozed then :snoozed_until
                                when :status_to is not null and :status_to <> 'snoozed' then null
                                else c.snoozed_until end,
           unread_count  = case when :unread then greatest(c.unread_count, 1)
                                when not :unread then 0
                                else c.unread_count end,
           waiting_since = case when :status_to = 'closed' then null
                                when c.status = 'closed' and :status_to is not null
                                then app.first_unanswered(c.user_id, c.conversation_id)
                                else c.waiting_since end,
           updated_at    = now()
      from picked
     where c.user_id = :user_id and c.conversation_id = picked.conversation_id
    returning c.conversation_id, c.contact_id, c.tags
), {{tagged}}, told as (
    insert into ai_events (user_id, type, contact_id, conversation_id, payload)
    select :user_id, 'conversation.updated', contact_id, conversation_id,
           :payload::jsonb || case when cardinality(:add_tags) + cardinality(:remove_tags) > 0
                                   then jsonb_build_object('tags', tags) else '{}' end
      from changed
     where :is_told::boolean
)
select count(*) from changed

-- name: more_to_change
-- Whether a filter shows any that the change would still make another.
select exists (
    select from {{filtered}}
     where {{filters}} and {{another}}
)

-- name: set_unread
-- Reading clears the count; marking unread makes it at least one.
update conversations
   set unread_count = case when :unread::boolean then greatest(unread_count, 1) else 0 end,
       updated_at   = now()
 where user_id = :user_id and conversation_id = :conversation_id
returning contact_id

-- name: keep_silence
-- What a rule writes into a silence does not begin a new one, which would call the rule again.
update conversations
   set stalled_announced_for = last_message_at
 where user_id = :user_id and conversation_id = :conversation_id

-- name: add_tag
-- Once, and at most 50 of them.
with changed as (
    update conversations
       set tags = tags || :tag::text, updated_at = now()
     where user_id = :user_id and conversation_id = :conversation_id
       and not (:tag = any (tags)) and cardinality(tags) < 50
    returning conversation_id, tags
), {{tagged}}
select tags from changed

-- name: set_status
-- Only a change is one.
update conversations
   set status        = :status,
       snoozed_until = case when :status = 'snoozed' then snoozed_until end,
       waiting_since = case when :status = 'closed' then null
                            when status = 'closed' then app.first_unanswered(user_id, conversation_id)
                            else waiting_since end,
       updated_at    = now()
 where user_id = :user_id and conversation_id = :conversation_id and status <> :status
returning status
