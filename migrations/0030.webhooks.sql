-- depends: 0029.subscriptions

-- Whether a list of exact types, `noun.*` and `*` has a type.
create function app.has_type(p_patterns text[], p_type text) returns boolean
language sql immutable parallel safe
as $$
    select p_type = any (p_patterns) or '*' = any (p_patterns)
        or split_part(p_type, '.', 1) || '.*' = any (p_patterns)
$$;

-- Something is to be sent from p_at on. The lane's row is locked in any case: whoever tidies it (a claim) then sees
-- what this transaction has written, or is waited for.
create function app.wake_lane(p_user uuid, p_subscription uuid, p_at timestamptz) returns void
language plpgsql volatile
as $$
declare
    v_lane webhook_lanes;
begin
    select * into v_lane from webhook_lanes l where l.user_id = p_user and l.subscription_id = p_subscription for update;
    if v_lane.next_at is null or v_lane.next_at > greatest(p_at, v_lane.paused_until) then
        update webhook_lanes l set next_at = greatest(p_at, l.paused_until)
         where l.user_id = p_user and l.subscription_id = p_subscription;
    end if;
end $$;

-- Keeps the bodies of events, and queues them for the subscriptions that want them. What the contact, conversation or
-- message was erased of meanwhile is told to nobody; nor is a subscription told that it was disabled itself.
create function app.queue_webhooks(
    p_user uuid, p_numbers bigint[], p_bodies text[], p_subscriptions uuid[]
) returns bigint
language plpgsql volatile
as $$
declare
    v_lane uuid;
    v_made bigint := 0;
    v_rows bigint;
begin
    insert into webhook_bodies (user_id, event_id, type, contact_id, conversation_id, message_id, body)
    select p_user, e.event_id, e.type, e.contact_id, e.conversation_id, e.message_id, b.body
      from unnest(p_numbers, p_bodies) b (number, body)
      join ai_events e on e.user_id = p_user and e.number = b.number
     where (e.conversation_id is null or exists (
               select from conversations c where c.user_id = p_user and c.conversation_id = e.conversation_id))
       and (e.message_id is null or exists (
               select from messages m where m.user_id = p_user and m.message_id = e.message_id))
        on conflict do nothing;
    for v_lane in
        select s.subscription_id from subscriptions s
         where s.user_id = p_user and s.subscription_id = any (p_subscriptions)
         order by s.subscription_id
    loop
        insert into webhook_deliveries as d (user_id, delivery_id, subscription_id, event_id, type, number)
        select p_user, app.uuid7(), v_lane, e.event_id, e.type, e.number
          from ai_events e
          join webhook_bodies b on b.user_id = p_user and b.event_id = e.event_id
          join subscriptions s on s.user_id = p_user and s.subscription_id = v_lane
         where e.user_id = p_user and e.number = any (p_numbers) and app.has_type(s.events, e.type)
           and not (e.type = 'subscription.disabled' and e.payload ->> 'subscription_id' = v_lane::text)
         order by e.number
            on conflict (user_id, event_id, subscription_id) do nothing;
        get diagnostics v_rows = row_count;
        if v_rows > 0 then
            perform app.wake_lane(p_user, v_lane, now());
            v_made := v_made + v_rows;
        end if;
    end loop;
    return v_made;
end $$;

-- What came of a call. Null: the lease was lost meanwhile, nothing changes. 'gone' or 'failing': the subscription was
-- disabled just now. p_pause: the whole endpoint waits, for p_retry_after or for 1 minute doubling to 1 hour.
create function app.settle_webhook(
    p_user uuid, p_delivery uuid, p_worker uuid, p_state text, p_wait interval, p_try jsonb,
    p_pause boolean, p_retry_after interval, p_gone boolean, p_disable_after interval
) returns text
language plpgsql volatile
as $$
declare
    v_delivery     webhook_deliveries;
    v_subscription subscriptions;
    v_disabled     text;
begin
    update webhook_deliveries d
       set state = p_state, due_at = now() + p_wait, lease_until = null, leased_by = null, updated_at = now(),
           status = (p_try ->> 'status')::integer, error = p_try -> 'error' ->> 'code',
           delivered_at = case when p_state = 'delivered' then now() end,
           tries = (select jsonb_agg(t order by n) from (
                        select t, n from jsonb_array_elements(d.tries || p_try) with ordinality x (t, n)
                         order by n desc limit 12) latest)
     where d.user_id = p_user and d.delivery_id = p_delivery and d.state = 'sending' and d.leased_by = p_worker
    returning * into v_delivery;
    if not found then
        return null;
    end if;
    if p_state = 'delivered' then
        update subscriptions s
           set last_success_at = now(), failing_since = null, consecutive_failures = 0
         where s.user_id = p_user and s.subscription_id = v_delivery.subscription_id
           and (s.consecutive_failures > 0 or s.last_success_at is null or s.last_success_at < now() - interval '1 second');
        update webhook_lanes l set pauses = 0
         where l.user_id = p_user and l.subscription_id = v_delivery.subscription_id and l.pauses > 0;
    else
        update subscriptions s
           set last_failure_at = now(), failing_since = coalesce(s.failing_since, now()),
               consecutive_failures = s.consecutive_failures + 1
         where s.user_id = p_user and s.subscription_id = v_delivery.subscription_id
        returning * into v_subscription;
        v_disabled := case
            when not v_subscription.enabled then null
            when p_gone then 'gone'
            when v_subscription.consecutive_failures >= 20
                 and v_subscription.failing_since <= now() - p_disable_after then 'failing' end;
        if v_disabled is not null then
            update subscriptions s
               set enabled = false, disabled_reason = v_disabled, disabled_at = now(), updated_at = now()
             where s.user_id = p_user and s.subscription_id = v_delivery.subscription_id;
        end if;
    end if;
    if p_pause then
        update webhook_lanes l
           set paused_until = greatest(l.paused_until, now() + coalesce(
                   p_retry_after, least(interval '1 minute' * power(2, l.pauses), interval '1 hour'))),
               pauses = least(l.pauses + 1, 10)
         where l.user_id = p_user and l.subscription_id = v_delivery.subscription_id;
    end if;
    perform app.wake_lane(p_user, v_delivery.subscription_id, case p_state when 'waiting' then now() + p_wait else now() end);
    return coalesce(v_disabled, 'settled');
end $$;

-- Sends events again, or for the first time; what waits already is not doubled. How many are queued by it.
create function app.replay_webhooks(p_user uuid, p_subscription uuid, p_numbers bigint[]) returns bigint
language plpgsql volatile
as $$
declare
    v_rows bigint;
begin
    insert into webhook_deliveries as d (user_id, delivery_id, subscription_id, event_id, type, number)
    select p_user, app.uuid7(), p_subscription, e.event_id, e.type, e.number
      from ai_events e
      join webhook_bodies b on b.user_id = p_user and b.event_id = e.event_id
     where e.user_id = p_user and e.number = any (p_numbers)
     order by e.number
        on conflict (user_id, event_id, subscription_id) do update
           set state = 'waiting', attempts = 0, due_at = now(), delivered_at = null, updated_at = now()
         where d.state in ('delivered', 'dead');
    get diagnostics v_rows = row_count;
    perform app.wake_lane(p_user, p_subscription, now());
    return v_rows;
end $$;

grant create on schema app to alfred_deliver, alfred_bus;

create function app.users_with_subscriptions(p_users uuid[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp
as $$
    select u from unnest(p_users) u where exists (select from subscriptions s where s.user_id = u and s.enabled)
$$;

alter function app.users_with_subscriptions(uuid[]) owner to alfred_bus;

-- Claims what is due, by turns of the lanes: so many of one lane and of one tenant as the process has room for. A lane
-- that fails has one call at a time; an ordered one always, and only its oldest that is not through.
create function app.claim_webhooks(
    p_worker uuid, p_most integer, p_lease interval,
    p_lanes uuid[], p_lane_calls integer[], p_users uuid[], p_user_calls integer[]
) returns table (
    user_id uuid, delivery_id uuid, subscription_id uuid, event_id uuid, type text, attempts integer, body text,
    url text, secret bytea, previous_secret bytea, previous_expires_at timestamptz, headers bytea
)
language plpgsql volatile security definer set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    v_lane  webhook_lanes;
    v_subscription subscriptions;
    v_left  integer := p_most;
    v_room  integer;
    v_ids   uuid[];
    v_taken jsonb := '{}';
begin
    for v_lane in
        select * from webhook_lanes l where l.next_at <= now() order by l.next_at limit 256
    loop
        exit when v_left <= 0;
        select * into v_subscription from subscriptions s
         where s.user_id = v_lane.user_id and s.subscription_id = v_lane.subscription_id;
        v_room := case when v_subscription.ordered or v_subscription.consecutive_failures >= 4 then 1 else 4 end
            - coalesce(p_lane_calls[array_position(p_lanes, v_lane.subscription_id)], 0);
        v_room := least(v_room, v_left, 8 - coalesce(p_user_calls[array_position(p_users, v_lane.user_id)], 0)
            - coalesce((v_taken ->> v_lane.user_id::text)::integer, 0));
        continue when v_room <= 0;
        v_ids := '{}';
        if v_subscription.enabled and coalesce(v_lane.paused_until <= now(), true) then
            if v_subscription.ordered then
                v_ids := array(
                    select d.delivery_id from webhook_deliveries d
                     where d.user_id = v_lane.user_id and d.state = 'waiting' and d.due_at <= now()
                       and d.delivery_id = (
                            select h.delivery_id from webhook_deliveries h
                             where h.user_id = v_lane.user_id and h.subscription_id = v_lane.subscription_id
                               and h.state in ('waiting', 'sending')
                             order by h.number limit 1)
                       for update skip locked);
            else
                v_ids := array(
                    select d.delivery_id from webhook_deliveries d
                     where d.user_id = v_lane.user_id and d.subscription_id = v_lane.subscription_id
                       and d.state = 'waiting' and d.due_at <= now()
                     order by d.due_at, d.number limit v_room for update skip locked);
            end if;
        end if;
        if cardinality(v_ids) > 0 then
            v_left := v_left - cardinality(v_ids);
            v_taken := v_taken || jsonb_build_object(v_lane.user_id::text,
                coalesce((v_taken ->> v_lane.user_id::text)::integer, 0) + cardinality(v_ids));
            return query
                update webhook_deliveries d
                   set state = 'sending', attempts = d.attempts + 1, lease_until = now() + p_lease, leased_by = p_worker,
                       updated_at = now()
                  from webhook_bodies b
                 where d.user_id = v_lane.user_id and d.delivery_id = any (v_ids)
                   and b.user_id = d.user_id and b.event_id = d.event_id
                returning d.user_id, d.delivery_id, d.subscription_id, d.event_id, d.type, d.attempts, b.body,
                          v_subscription.url, v_subscription.secret, v_subscription.previous_secret,
                          v_subscription.previous_expires_at, v_subscription.headers;
        end if;
        perform app.tidy_lane(v_lane.user_id, v_lane.subscription_id);
    end loop;
end $$;

-- When the lane is next to be looked at. Somebody who holds it is about to add to it: then it stays as it is.
create function app.tidy_lane(p_user uuid, p_subscription uuid) returns void
language plpgsql volatile
as $$
declare
    v_lane webhook_lanes;
    v_next timestamptz;
begin
    select * into v_lane from webhook_lanes l
     where l.user_id = p_user and l.subscription_id = p_subscription for update skip locked;
    if not found then
        return;
    end if;
    select case
               when not s.enabled then null
               when s.ordered then (
                    select case when h.state = 'waiting' then h.due_at end from webhook_deliveries h
                     where h.user_id = p_user and h.subscription_id = p_subscription
                       and h.state in ('waiting', 'sending')
                     order by h.number limit 1)
               else (
                    select d.due_at from webhook_deliveries d
                     where d.user_id = p_user and d.subscription_id = p_subscription and d.state = 'waiting'
                     order by d.due_at, d.number limit 1)
           end into v_next
      from subscriptions s where s.user_id = p_user and s.subscription_id = p_subscription;
    -- What is due already takes its turn after the others.
    v_next := case when v_next is not null then greatest(v_next, v_lane.paused_until, clock_timestamp()) end;
    if v_next is distinct from v_lane.next_at then
        update webhook_lanes l set next_at = v_next where l.user_id = p_user and l.subscription_id = p_subscription;
    end if;
end $$;

-- Seconds until something is due, below a minute.
create function app.webhooks_due_in() returns double precision
language sql stable security definer set search_path = public, pg_temp
as $$
    select greatest(extract(epoch from min(next_at) - now()), 0.02)::double precision
      from webhook_lanes where next_at > now() and next_at < now() + interval '1 minute'
$$;

-- Leases that ran out: nobody knows what came of the call, so it is repeated.
create function app.expire_webhooks() returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_lane  record;
    v_count bigint := 0;
begin
    for v_lane in
        with expired as (
            update webhook_deliveries d
               set state = 'waiting', due_at = now(), lease_until = null, leased_by = null, updated_at = now()
             where d.state = 'sending' and (d.user_id, d.delivery_id) in (
                    select x.user_id, x.delivery_id from webhook_deliveries x
                     where x.state = 'sending' and x.lease_until < now()
                     order by x.lease_until limit 500 for update skip locked)
            returning d.user_id, d.subscription_id
        )
        select user_id, subscription_id, count(*) as found from expired
         group by user_id, subscription_id order by user_id, subscription_id
    loop
        perform app.wake_lane(v_lane.user_id, v_lane.subscription_id, now());
        v_count := v_count + v_lane.found;
    end loop;
    return v_count;
end $$;

-- What is old enough goes, a part at a time; how many rows went, or became dead.
create function app.sweep_webhooks(p_keep interval, p_keep_dead interval, p_most_waiting integer, p_limit integer)
returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
    v_lane  webhook_lanes;
    v_rows  bigint;
    v_count bigint := 0;
begin
    delete from webhook_deliveries d
     where (d.user_id, d.delivery_id) in (
            select x.user_id, x.delivery_id from webhook_deliveries x
             where x.state in ('delivered', 'dead') and x.updated_at < now() - p_keep
               and (x.state = 'delivered' or x.updated_at < now() - p_keep_dead)
             order by x.updated_at limit p_limit for update skip locked);
    get diagnostics v_count = row_count;
    delete from webhook_bodies b
     where (b.user_id, b.event_id) in (
            select x.user_id, x.event_id from webhook_bodies x
             where x.created_at < now() - p_keep
               and not exists (select from webhook_deliveries d where d.user_id = x.user_id and d.event_id = x.event_id)
             order by x.created_at limit p_limit);
    get diagnostics v_rows = row_count;
    v_count := v_count + v_rows;
    for v_lane in select * from webhook_lanes loop
        update webhook_deliveries d set state = 'dead', error = 'expired', updated_at = now()
         where d.user_id = v_lane.user_id and d.delivery_id in (
                (select w.delivery_id from webhook_deliveries w
                  where w.user_id = v_lane.user_id and w.subscription_id = v_lane.subscription_id
                    and w.state = 'waiting' and w.created_at < now() - interval '30 days'
                  limit p_limit)
                union all
                (select w.delivery_id from webhook_deliveries w
                  where w.user_id = v_lane.user_id and w.subscription_id = v_lane.subscription_id
                    and w.state in ('waiting', 'sending')
                  order by w.number desc offset p_most_waiting limit p_limit));
        get diagnostics v_rows = row_count;
        v_count := v_count + v_rows;
    end loop;
    return v_count;
end $$;

alter function app.claim_webhooks(uuid, integer, interval, uuid[], integer[], uuid[], integer[]) owner to alfred_deliver;

alter function app.webhooks_due_in() owner to alfred_deliver;

alter function app.expire_webhooks() owner to alfred_deliver;

alter function app.sweep_webhooks(interval, interval, integer, integer) owner to alfred_deliver;

revoke create on schema app from alfred_deliver, alfred_bus;
