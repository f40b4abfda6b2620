-- depends: 0094.bounded_searches

-- Notifications are made where their events are read: a batch of them is one statement.
grant create on schema app to alfred_bus;

-- What some events are told as, in the language of their users. p_titles: by kind and language, of single
-- notifications with {name}, of digests with {count}.
create function app.bus_words(p_events jsonb, p_titles jsonb)
returns table (
    number bigint, user_id uuid, conversation_id uuid, message_id uuid, task_id uuid, contact_id uuid, rule_id uuid,
    type text, dedupe_key text, title text, body text, digest text, digest_title text
)
language plpgsql stable
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
begin
    return query
        select e.number, e.user_id, e.conversation_id, e.message_id, e.task_id, coalesce(c.contact_id, e.contact_id),
               (e.payload ->> 'rule_id')::uuid, k.type, k.type || ':' || k.key, t.title,
               coalesce(nullif(case when m.message_id is null then v.snippet else app.snippet(m.body, m.attachments) end, ''),
                        e.payload ->> 'detail', ''),
               e.payload ->> 'digest', coalesce(p_titles -> 'digest' -> k.type ->> l.language,
                                                p_titles -> 'digest' -> k.type ->> 'en', t.title)
          from jsonb_to_recordset(p_events) as e (number bigint, user_id uuid, type text, contact_id uuid,
                                                  conversation_id uuid, message_id uuid, task_id uuid, payload jsonb)
          left join users u on u.user_id = e.user_id
          left join conversations v on v.user_id = e.user_id and v.conversation_id = e.conversation_id
          left join contacts c on c.user_id = e.user_id and c.contact_id = v.contact_id
          left join messages m on m.user_id = e.user_id and m.message_id = e.message_id
         cross join lateral (select coalesce(left(u.locale, 2), 'en') as language) l
         cross join lateral (
            select case when e.type in ('message.classified', 'message.reclassified') then 'urgent_message'
                        when e.type = 'task.overdue' then 'overdue_task'
                        when e.type = 'lead.stalled' then 'stalled_lead'
                        when e.type = 'message.status_changed' then 'delivery_failed'
                        when e.type in ('channel.error', 'subscription.disabled') then replace(e.type, 'channel.', 'channel_')
                        else 'rule_match' end as type,
                   case when e.type in ('message.classified', 'message.reclassified', 'message.status_changed')
                        then e.message_id::text
                        when e.type = 'task.overdue' then e.task_id || ':' || (e.payload ->> 'due_date')
                        when e.type = 'lead.stalled' then e.conversation_id || ':' || (e.payload ->> 'last_message_at')
                        when e.type in ('channel.error', 'subscription.disabled') then e.number::text
                        else e.payload ->> 'match_key' end as key) k
         cross join lateral (
            select case when k.type in ('rule_match', 'overdue_task') then e.payload ->> 'title'
                        when k.type = 'channel_error'
                        then coalesce(nullif(e.payload ->> 'channel', ''), nullif(e.payload ->> 'account', ''),
                                      e.payload ->> 'channel_type')
                        when k.type = 'subscription.disabled' then e.payload ->> 'host'
                        else coalesce(c.name, c.handle) end as name) n
         cross join lateral (
            select left(coalesce(
                       case when k.type = 'rule_match' then nullif(e.payload ->> 'notify_title', '') end,
                       replace(coalesce(p_titles -> 'single' -> k.type ->> l.language, p_titles -> 'single' -> k.type ->> 'en'),
                               '{name}', coalesce(nullif(n.name, ''), '?'))), 200) as title) t
         order by e.number;
end $$;

-- Makes the notifications that events call for, each once; the numbers of those that are left, since somebody else
-- holds their conversation: who records an event of one holds it until the end.
create function app.bus_notify(p_events jsonb, p_titles jsonb) returns bigint[]
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
    v_busy    uuid[];
    v_left    bigint[];
    v_single  jsonb;
    v_digests jsonb;
begin
    select array(select app.bus_hold(array_agg(e.user_id), array_agg(e.conversation_id))) into v_busy
      from jsonb_to_recordset(p_events) as e (user_id uuid, conversation_id uuid)
     where e.conversation_id is not null;
    with told as materialized (
        select * from app.bus_words(p_events, p_titles)
    ), free as materialized (
        select * from told where conversation_id is null or conversation_id <> all (v_busy)
    ), digests as (
        select user_id, type, rule_id, digest,
               type || ':digest:' || digest || coalesce(':' || rule_id, '') as dedupe_key,
               (array_agg(digest_title order by number))[1] as title, count(*),
               (array_agg(coalesce(task_id, conversation_id) order by number))[1:20] as ids
          from free where digest is not null
         group by user_id, type, rule_id, digest
    )
    select array(select number from told except select number from free),
           (select jsonb_agg(to_jsonb(f) order by f.number) from free f where f.digest is null),
           (select jsonb_agg(to_jsonb(d)) from digests d)
      into v_left, v_single, v_digests;
    if v_single is not null then
        perform app.bus_announce(v_single);
    end if;
    if v_digests is not null then
        perform app.bus_announce_digests(v_digests);
    end if;
    return v_left;
end $$;

-- A whole batch of one consumer that makes notifications, its cursors included (see app.bus_look): in which buckets it
-- was, whether there is more, whether some of it is in the backlog, and what those who look on have not been shown, of
-- p_users what comes after p_numbers; one row without a notification where there is none.
create function app.bus_tell(
    p_consumer text, p_wants jsonb, p_buckets smallint[], p_limit integer, p_titles jsonb, p_users uuid[],
    p_numbers bigint[], p_most integer
) returns table (buckets smallint[], more boolean, backlog boolean, told notifications)
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set jit = off set lock_timeout = '200ms'
as $$
#variable_conflict use_column
declare
    v_events  jsonb;
    v_tenants uuid[];
    v_left    bigint[];
    v_more    boolean;
    v_backlog boolean;
begin
    select array_agg(distinct l.user_id), count(*) >= p_limit, coalesce(bool_or(l.aside), false),
           jsonb_agg(to_jsonb(l)) filter (where not l.aside)
      into v_tenants, v_more, v_backlog, v_events
      from app.bus_look(array[p_consumer], array[p_wants], array[null::text], p_buckets, p_limit) l;
    if v_events is not null then
        v_left := app.bus_notify(v_events, p_titles);
    end if;
    if cardinality(v_left) > 0 then
        perform app.bus_put_aside(p_consumer, array_agg(e.user_id), array_agg(e.number))
           from jsonb_to_recordset(v_events) as e (user_id uuid, number bigint)
          where e.number = any (v_left);
        v_backlog := true;
    end if;
    return query
        select array(select distinct app.bucket(t) from unnest(v_tenants) t), v_more, v_backlog, n.told
          from (select) one
          left join (
            select n::notifications as told
              from unnest(p_users, p_numbers) w (user_id, number)
             cross join lateral (
                select * from notifications n where n.user_id = w.user_id and n.number > w.number
                 order by n.number limit p_most) n
             where w.user_id = any (v_tenants)) n on true
         order by (n.told).user_id, (n.told).number;
end $$;

alter function app.bus_notify(jsonb, jsonb) owner to alfred_bus;

alter function app.bus_tell(text, jsonb, smallint[], integer, jsonb, uuid[], bigint[], integer) owner to alfred_bus;

revoke execute on function app.bus_notify(jsonb, jsonb) from public;

revoke execute on function app.bus_tell(text, jsonb, smallint[], integer, jsonb, uuid[], bigint[], integer) from public;

grant execute on function app.bus_notify(jsonb, jsonb), app.bus_tell(text, jsonb, smallint[], integer, jsonb, uuid[], bigint[], integer)
   to alfred_bus_app, alfred_app;

revoke create on schema app from alfred_bus;
