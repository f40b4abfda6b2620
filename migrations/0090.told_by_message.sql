-- depends: 0089.one_log_index

-- The event of a plain message says the type of its channel, by which consumers choose; its id and handle are told from the
-- message and the conversation, where they never change. Events that hold them, as those of before do, are told as they are.

-- Takes in the plain messages of a batch: for each item its outcome, or null where it is left for app.take_in. Either
-- all items of a post are taken in or none. An item is plain when its channel, its handle as written, its contact's name
-- and its conversation are there, when it is new, the newest, and told once, when nothing told of it waits, and the
-- conversation is at work and held by nobody else. A message that came at the same moment by another way violates a key,
-- and nothing of the batch is written: row by row it is told as a duplicate.
create or replace function app.take_in_known(p_items jsonb) returns jsonb
language plpgsql volatile security definer set search_path = public, pg_temp set lock_timeout = '2s'
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_sort = off set jit = off
as $$
declare
    v_results jsonb;
begin
    perform pg_advisory_xact_lock_shared(k) from (
        select distinct app.people_lock((i ->> 'user_id')::uuid) as k from jsonb_array_elements(p_items) i order by 1
    ) keys;
    perform pg_advisory_xact_lock(k) from (
        select distinct hashtextextended(concat_ws(' ', i ->> 'user_id', i ->> 'channel_type', i ->> 'target'), 0) as k
          from jsonb_array_elements(p_items) i where i ->> 'target' is not null order by 1
    ) keys;
    with item as materialized (
        select i.*, least(i.sent_at, now()) as at,
               count(*) over (partition by i.user_id, i.channel_type, i.recipient, i.dedupe_key) as told
          from rows from (jsonb_to_recordset(p_items) as (
                post integer, user_id uuid, channel_type text, recipient text, handles text[], name text, text text,
                sent_at timestamptz, classification jsonb, raw text, message_id uuid, external_id text,
                dedupe_key text, reply_to text, attachments jsonb, subject text, "references" text, "order" jsonb
          )) with ordinality as i (
                post, user_id, channel_type, recipient, handles, name, body, sent_at, classification, raw, message_id,
                external_id, dedupe_key, reply_to, attachments, subject, mails, "order", n)
    ), held as materialized (
        select i.n, c.conversation_id, c.contact_id, c.channel_id
          from item i
          join lateral (
                select h.channel_id from channels h
                 where h.user_id = i.user_id and h.type = i.channel_type
                   and h.external_account_id is not distinct from i.recipient
                 order by h.created_at, h.channel_id limit 1) h on true
          join contact_identities t
            on t.user_id = i.user_id and t.channel_type = i.channel_type and t.value = i.handles[1]
          join conversations c
            on c.user_id = i.user_id and c.channel_id = h.channel_id and c.handle = i.handles[1]
           and c.contact_id = t.contact_id
         where c.status in ('open', 'pending') and i.told = 1 and i.classification is not null
           and (c.last_message_at is null or (i.at, i.message_id) > (c.last_message_at, c.last_message_id))
           and (i.name is null or exists (select from contacts p
                                           where p.user_id = i.user_id and p.contact_id = t.contact_id
                                             and p.name is not null))
           and not exists (select from contact_identities o
                            where o.user_id = i.user_id and o.contact_id = t.contact_id and o.matched_as is not null)
           and not exists (select from channels o
                            cross join lateral ( -- ordered: a plan that was made of empty tables reads by the key too
                                  select from messages m
                                   where m.user_id = o.user_id and m.channel_id = o.channel_id
                                     and m.dedupe_key between i.dedupe_key and i.dedupe_key
                                   order by m.dedupe_key limit 1) m
                            where o.user_id = i.user_id and o.type = i.channel_type
                              and (o.external_account_id = i.recipient or o.external_account_id is null))
           and not exists (select from message_updates u
                            where u.user_id = i.user_id and u.channel_type = i.channel_type
                              and u.external_id = i.external_id)
         order by c.user_id, c.conversation_id for no key update of c skip locked
    ), plain as materialized (
        select r.* from (
            select i.*, h.conversation_id, h.contact_id, h.channel_id,
                   bool_and(h.n is not null) over (partition by i.post) as whole
              from item i left join held h on h.n = i.n) r
         where r.whole
    ), added as (
        insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key, body,
                              attachments, reply_to_id, status, classification, sent_at, subject, references_, "order")
        select r.user_id, r.message_id, r.conversation_id, r.channel_id, 'inbound', r.external_id, r.dedupe_key,
               coalesce(r.body, ''), r.attachments,
               case when r.reply_to is not null then coalesce(
                   (select q.message_id from messages q
                     where q.user_id = r.user_id and q.channel_id = r.channel_id and q.dedupe_key = r.reply_to),
                   (select q.message_id from plain q
                     where q.user_id = r.user_id and q.channel_id = r.channel_id and q.dedupe_key = r.reply_to
                       and q.n < r.n)) end,
               'received', r.classification, r.at, r.subject, r.mails, r."order"
          from plain r order by r.n
    ), payloads as (
        insert into message_payloads (user_id, message_id, payload)
        select r.user_id, r.message_id, r.raw::json from plain r order by r.n
    ), shown as (
        update conversations c
           set unread_count           = c.unread_count + l.added,
               waiting_since          = coalesce(c.waiting_since, l.first_at),
               last_message_id        = l.message_id,
               last_message_at        = l.at,
               active_at              = l.at,
               last_message_direction = 'inbound',
               snippet                = app.snippet(coalesce(l.body, ''), l.attachments),
               last_inbound_id        = l.message_id,
               last_inbound_at        = l.at,
               sentiment              = l.classification ->> 'sentiment',
               urgency                = l.classification ->> 'urgency',
               negotiation            = (l.classification ->> 'negotiation')::boolean,
               updated_at             = now()
          from (select r.*, count(*) over w as added, min(at) over w as first_at,
                       row_number() over (w order by at desc, message_id desc) as newest
                  from plain r window w as (partition by user_id, conversation_id)) l
         where l.newest = 1 and c.user_id = l.user_id and c.conversation_id = l.conversation_id
    ), told as (
        insert into ai_events (user_id, type, contact_id, conversation_id, message_id, payload)
        select r.user_id, e.type, r.contact_id, r.conversation_id, r.message_id, e.payload
          from plain r cross join lateral (values
               (1, 'message.received', jsonb_build_object('channel_type', r.channel_type)),
               (2, 'message.classified', jsonb_build_object('urgency', r.classification -> 'urgency'))) as e (at, type, payload)
         order by r.n, e.at
    )
    select jsonb_agg(case when r.n is not null then jsonb_build_object(
               'duplicate', false, 'message_id', r.message_id,
               'conversation_id', r.conversation_id, 'contact_id', r.contact_id) end order by i.n)
      into v_results
      from item i left join plain r on r.n = i.n;
    return v_results;
end $$;
