-- depends: 0055.pending

-- What grows for ever goes after a while, in small batches that find by an index what is old. Nothing that is younger
-- than a day goes, whatever is asked for. What a rule has done stays counted.
alter table rules
    add column old_matches   bigint not null default 0,
    add column old_match_at  timestamptz;

comment on column rules.old_matches is 'matches that were removed since they are old';

comment on column rules.old_match_at is 'the newest of them';

create index message_updates_by_age on message_updates (created_at);

create index notifications_by_age on notifications (seen_at) where seen_at is not null;

create index rule_matches_by_age on rule_matches (matched_at) where not pending;

create index ai_suggestions_by_age on ai_suggestions (created_at);

create index contact_merges_by_age on contact_merges (merged_at);

create index idempotency_keys_oldest on idempotency_keys (claimed_at);

create index rejected_webhooks_oldest on rejected_webhooks (created_at);

create index ignored_items_oldest on ignored_items (received_at);

create index api_tokens_by_expiry on api_tokens (expires_at) where expires_at is not null;

create index refresh_tokens_by_expiry on refresh_tokens (expires_at);

create index stream_tickets_by_expiry on stream_tickets (expires_at);

create index sessions_by_end on sessions (least(expires_at, ends_at, ended_at));

create index login_failures_by_age on login_failures (failed_at);

create index event_retries_dead on event_retries (created_at) where state = 'dead';

create policy users_scan on users for select to alfred_scan using (true);

create policy message_payloads_scan on message_payloads to alfred_scan using (true);

create policy message_updates_scan on message_updates to alfred_scan using (true);

create policy notifications_scan on notifications to alfred_scan using (true);

create policy rules_scan on rules to alfred_scan using (true) with check (true);

create policy rule_matches_scan on rule_matches to alfred_scan using (true);

create policy ai_suggestions_scan on ai_suggestions to alfred_scan using (true);

create policy contact_merges_scan on contact_merges to alfred_scan using (true);

create policy idempotency_keys_scan on idempotency_keys to alfred_scan using (true);

create policy rejected_webhooks_scan on rejected_webhooks to alfred_scan using (true);

create policy ignored_items_scan on ignored_items to alfred_scan using (true);

create policy api_tokens_scan on api_tokens to alfred_scan using (true);

create policy refresh_tokens_scan on refresh_tokens to alfred_scan using (true);

create policy stream_tickets_scan on stream_tickets to alfred_scan using (true);

create policy sessions_scan on sessions to alfred_scan using (true);

create policy login_failures_scan on login_failures to alfred_scan using (true);

create policy event_retries_scan on event_retries to alfred_scan using (true);

create policy event_backlog_scan on event_backlog for select to alfred_scan using (true);

create policy bus_cursors_scan on bus_cursors for select to alfred_scan using (true);

grant select (user_id) on users to alfred_scan;

-- What a deletion asks for: the key and the time; `update` is what a row lock takes.
grant select (user_id, message_id), delete on message_payloads to alfred_scan;

grant select (user_id, channel_type, external_id, kind, detail, created_at), update (created_at), delete
    on message_updates to alfred_scan;

grant select (user_id, notification_id, seen_at), update (seen_at), delete on notifications to alfred_scan;

grant select (user_id, rule_id, old_matches, old_match_at), update (old_matches, old_match_at) on rules to alfred_scan;

grant select (user_id, rule_id, subject, matched_at, pending), update (pending), delete on rule_matches to alfred_scan;

grant select (user_id, suggestion_id, created_at), update (created_at), delete on ai_suggestions to alfred_scan;

grant select (user_id, merged_id, merged_at), update (merged_at), delete on contact_merges to alfred_scan;

grant select (user_id, path, key, claimed_at), update (claimed_at), delete on idempotency_keys to alfred_scan;

grant select (user_id, rejected_id, created_at), update (created_at), delete on rejected_webhooks to alfred_scan;

grant select (user_id, ignored_id, received_at), update (received_at), delete on ignored_items to alfred_scan;

grant select (user_id, token_id, expires_at), update (expires_at), delete on api_tokens to alfred_scan;

grant select (token_hash, expires_at), update (expires_at), delete on refresh_tokens to alfred_scan;

grant select (ticket_hash, expires_at), update (expires_at), delete on stream_tickets to alfred_scan;

grant select (user_id, session_id, expires_at, ends_at, ended_at), update (ended_at), delete on sessions to alfred_scan;

grant select, update (failed_at), delete on login_failures to alfred_scan;

grant select (consumer, number, state, created_at), update (created_at), delete on event_retries to alfred_scan;

grant select on event_backlog, bus_cursors to alfred_scan;

grant select (user_id, number, xid, created_at), delete on ai_events to alfred_scan;

grant execute on function app.begin_log_at(timestamptz) to alfred_scan;

grant create on schema app to alfred_scan;

-- One batch of what is older than p_before; how many went. What somebody else holds is left for the next time.
create function app.forget_old(p_kind text, p_before timestamptz, p_limit integer) returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp set lock_timeout = '2s'
as $$
declare
    v_before timestamptz := least(p_before, now() - interval '1 day');
    v_count  bigint;
begin
    case p_kind
    when 'message_updates' then
        delete from message_updates t using (
            select user_id, channel_type, external_id, kind, detail from message_updates where created_at < v_before
             order by created_at limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.channel_type = o.channel_type and t.external_id = o.external_id
           and t.kind = o.kind and t.detail = o.detail;
    when 'notifications' then
        delete from notifications t using (
            select user_id, notification_id from notifications where seen_at < v_before
             order by seen_at limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.notification_id = o.notification_id;
    when 'ai_suggestions' then
        delete from ai_suggestions t using (
            select user_id, suggestion_id from ai_suggestions where created_at < v_before
             order by created_at limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.suggestion_id = o.suggestion_id;
    when 'contact_merges' then
        delete from contact_merges t using (
            select user_id, merged_id from contact_merges where merged_at < v_before
             order by merged_at limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.merged_id = o.merged_id;
    when 'idempotency_keys' then
        delete from idempotency_keys t using (
            select user_id, path, key from idempotency_keys where claimed_at < v_before
             order by claimed_at limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.path = o.path and t.key = o.key;
    when 'rejected_webhooks' then
        delete from rejected_webhooks t using (
            select user_id, rejected_id from rejected_webhooks where created_at < v_before
             order by created_at limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.rejected_id = o.rejected_id;
    when 'ignored_items' then
        delete from ignored_items t using (
            select user_id, ignored_id from ignored_items where received_at < v_before
             order by received_at limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.ignored_id = o.ignored_id;
    when 'api_tokens' then
        delete from api_tokens t using (
            select user_id, token_id from api_tokens where expires_at < v_before
             order by expires_at limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.token_id = o.token_id;
    when 'refresh_tokens' then
        delete from refresh_tokens t using (
            select token_hash from refresh_tokens where expires_at < v_before
             order by expires_at limit p_limit for update skip locked) o
         where t.token_hash = o.token_hash;
    when 'stream_tickets' then
        delete from stream_tickets t using (
            select ticket_hash from stream_tickets where expires_at < v_before
             order by expires_at limit p_limit for update skip locked) o
         where t.ticket_hash = o.ticket_hash;
    when 'sessions' then
        delete from sessions t using (
            select user_id, session_id from sessions where least(expires_at, ends_at, ended_at) < v_before
             order by least(expires_at, ends_at, ended_at) limit p_limit for update skip locked) o
         where t.user_id = o.user_id and t.session_id = o.session_id;
    when 'login_failures' then
        delete from login_failures
         where ctid = any (array(select ctid from login_failures where failed_at < v_before
                                  order by failed_at limit p_limit for update skip locked));
    when 'event_retries' then
        delete from event_retries t using (
            select consumer, number from event_retries where state = 'dead' and created_at < v_before
             order by created_at limit p_limit for update skip locked) o
         where t.consumer = o.consumer and t.number = o.number;
    end case;
    get diagnostics v_count = row_count;
    return v_count;
end $$;

-- The same for what rules have done, counted as it goes. Rules are locked in one order, before their matches.
create function app.forget_old_matches(p_before timestamptz, p_limit integer) returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp set lock_timeout = '2s'
as $$
declare
    v_before timestamptz := least(p_before, now() - interval '1 day');
    v_count  bigint;
begin
    with old as materialized (
        select user_id, rule_id, subject from rule_matches where not pending and matched_at < v_before
         order by matched_at limit p_limit
    ), held as materialized (
        select r.user_id, r.rule_id from rules r
         where (r.user_id, r.rule_id) in (select user_id, rule_id from old)
         order by r.user_id, r.rule_id for no key update
    ), gone as (
        delete from rule_matches m using old o, held h
         where m.user_id = o.user_id and m.rule_id = o.rule_id and m.subject = o.subject and not m.pending
           and h.user_id = o.user_id and h.rule_id = o.rule_id
        returning m.user_id, m.rule_id, m.matched_at
    ), counted as (
        update rules r
           set old_matches = r.old_matches + g.count, old_match_at = greatest(r.old_match_at, g.last_at)
          from (select user_id, rule_id, count(*) as count, max(matched_at) as last_at from gone group by 1, 2) g
         where r.user_id = g.user_id and r.rule_id = g.rule_id
    )
    select count(*) into v_count from gone;
    return v_count;
end $$;

-- Raw payloads, tenant by tenant: their keys are times already. p_from is the first tenant to look at; the next one is
-- told, null after the last.
create function app.forget_old_payloads(p_before timestamptz, p_from uuid, p_limit integer)
returns table (removed bigint, next_user uuid)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_before uuid := (lpad(to_hex((extract(epoch from least(p_before, now() - interval '1 day')) * 1000)::bigint), 12, '0')
                      || repeat('0', 20))::uuid;
    v_users  uuid[] := array(select u.user_id from users u where u.user_id >= p_from order by u.user_id limit 201);
    v_count  bigint;
begin
    removed := 0;
    for v_at in 1 .. least(cardinality(v_users), 200) loop
        delete from message_payloads p
         where p.user_id = v_users[v_at] and p.message_id in (
            select o.message_id from message_payloads o
             where o.user_id = v_users[v_at] and o.message_id < v_before
             order by o.message_id limit p_limit - removed);
        get diagnostics v_count = row_count;
        removed := removed + v_count;
        if removed >= p_limit then
            next_user := v_users[v_at];
            return next;
            return;
        end if;
    end loop;
    next_user := v_users[201];
    return next;
end $$;

-- The log of one bucket, from a place on, in the order of its transactions, which is nearly that of time. What a cursor
-- has not read, what waits for a turn and what waits for another attempt stays. The place to go on from is told, null
-- where the rest is younger. A client whose place is older is told so, from the same moment on.
create function app.forget_old_events(
    p_before timestamptz, p_consumers text[], p_bucket smallint, p_xid text, p_number bigint, p_limit integer
) returns table (removed bigint, next_xid text, next_number bigint)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_before timestamptz := least(p_before, now() - interval '1 day');
begin
    return query
    with page as materialized (
        select e.user_id, e.number, e.xid, e.created_at from ai_events e
         where e.bucket = p_bucket and (e.xid, e.number) > (p_xid::xid8, p_number)
         order by e.xid, e.number limit p_limit
    ), gone as (
        delete from ai_events e using page p
         where e.user_id = p.user_id and e.number = p.number and p.created_at < v_before
           and not exists (select from bus_cursors c
                            where c.bucket = p_bucket and c.consumer = any (p_consumers)
                              and not pg_visible_in_snapshot(p.xid, c.seen))
           and not exists (select from event_backlog b
                            where b.user_id = p.user_id and b.consumer = any (p_consumers) and b.number = p.number)
           and not exists (select from event_retries r
                            where r.consumer = any (p_consumers) and r.number = p.number)
        returning 1
    ), last as (
        select p.xid, p.number from page p order by p.xid desc, p.number desc limit 1
    )
    select (select count(*) from gone),
           case when v.whole and v.old then l.xid::text end,
           case when v.whole and v.old then l.number end
      from (select count(*) = p_limit as whole, coalesce(bool_and(p.created_at < v_before), false) as old from page p) v
      left join last l on true;
    perform app.begin_log_at(v_before);
end $$;

alter function app.forget_old(text, timestamptz, integer) owner to alfred_scan;

alter function app.forget_old_matches(timestamptz, integer) owner to alfred_scan;

alter function app.forget_old_payloads(timestamptz, uuid, integer) owner to alfred_scan;

alter function app.forget_old_events(timestamptz, text[], smallint, text, bigint, integer) owner to alfred_scan;

revoke create on schema app from alfred_scan;

revoke execute on function app.forget_old(text, timestamptz, integer) from public;

grant execute on function app.forget_old(text, timestamptz, integer) to alfred_app;

revoke execute on function app.forget_old_matches(timestamptz, integer) from public;

grant execute on function app.forget_old_matches(timestamptz, integer) to alfred_app;

revoke execute on function app.forget_old_payloads(timestamptz, uuid, integer) from public;

grant execute on function app.forget_old_payloads(timestamptz, uuid, integer) to alfred_app;

revoke execute on function app.forget_old_events(timestamptz, text[], smallint, text, bigint, integer) from public;

grant execute on function app.forget_old_events(timestamptz, text[], smallint, text, bigint, integer) to alfred_app;
