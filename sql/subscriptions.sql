-- Subscriptions: URLs that are sent what happens; what was sent to them, and what waits.

-- name: page
-- Newest first. What waits and what is dead is counted by the partial indexes.
select s.subscription_id as id, s.url, s.events, s.description, s.header_names, s.ordered, s.enabled, s.disabled_reason,
       s.disabled_at, s.last_success_at, s.last_failure_at, s.failing_since, s.consecutive_failures, s.created_by_id,
       s.created_by_name, s.created_at, s.updated_at,
       (select count(*) from webhook_deliveries d
         where d.user_id = s.user_id and d.subscription_id = s.subscription_id
           and d.state in ('waiting', 'sending')) as pending,
       (select count(*) from webhook_deliveries d
         where d.user_id = s.user_id and d.subscription_id = s.subscription_id and d.state = 'dead') as dead
  from subscriptions s
 where s.user_id = :user_id
   and (:url::text is null or s.url = :url)
   and (:enabled::boolean is null or s.enabled = :enabled)
   and (:before_at::timestamptz is null or (s.created_at, s.subscription_id) < (:before_at, :before_id::uuid))
 order by s.created_at desc, s.subscription_id desc
 limit :limit

-- name: get
-- One, in the shape of the list.
select s.subscription_id as id, s.url, s.events, s.description, s.header_names, s.ordered, s.enabled, s.disabled_reason,
       s.disabled_at, s.last_success_at, s.last_failure_at, s.failing_since, s.consecutive_failures, s.created_by_id,
       s.created_by_name, s.created_at, s.updated_at,
       (select count(*) from webhook_deliveries d
         where d.user_id = s.user_id and d.subscription_id = s.subscription_id
           and d.state in ('waiting', 'sending')) as pending,
       (select count(*) from webhook_deliveries d
         where d.user_id = s.user_id and d.subscription_id = s.subscription_id and d.state = 'dead') as dead
  from subscriptions s
 where s.user_id = :user_id and s.subscription_id = :subscription_id

-- name: hold
-- Locked for a change, with what is encrypted.
select url, events, enabled, ordered, secret, previous_secret, previous_expires_at, headers
  from subscriptions
 where user_id = :user_id and subscription_id = :subscription_id
   for no key update

-- name: hold_tenant
-- One at a time makes subscriptions, so that their number stays within its bound.
select pg_advisory_xact_lock(hashtextextended('subscriptions ' || :user_id::uuid::text, 0))

-- name: count
-- How many there are.
select count(*) from subscriptions where user_id = :user_id

-- name: add
-- With its lane, by `add_lane`.
insert into subscriptions (user_id, subscription_id, url, events, description, header_names, headers, secret, ordered,
                           enabled, disabled_reason, disabled_at, created_by_id, created_by_name)
values (:user_id, :subscription_id, :url, :events, :description, :header_names, :headers, :secret, :ordered,
        :enabled, case when not :enabled then 'by_user' end, case when not :enabled then now() end,
        :token_id::uuid, (select name from api_tokens where user_id = :user_id and token_id = :token_id))

-- name: add_lane
-- Nothing waits in it yet.
insert into webhook_lanes (user_id, subscription_id) values (:user_id, :subscription_id)

-- name: change
-- What is null stays, but for the description and the headers, which are told to be set. Enabling begins anew.
update subscriptions
   set url                  = coalesce(:url, url),
       events               = coalesce(:events, events),
       description          = case when :set_description::boolean then :description else description end,
       header_names         = case when :set_headers::boolean then :header_names::text[] else header_names end,
       headers              = case when :set_headers::boolean then :headers else headers end,
       ordered              = coalesce(:ordered, ordered),
       enabled              = coalesce(:enabled, enabled),
       disabled_reason      = case when :enabled::boolean then null
                                   when not :enabled::boolean and enabled then 'by_user' else disabled_reason end,
       disabled_at          = case when :enabled::boolean then null
                                   when not :enabled::boolean and enabled then now() else disabled_at end,
       failing_since        = case when :enabled::boolean and not enabled then null else failing_since end,
       consecutive_failures = case when :enabled::boolean and not enabled then 0 else consecutive_failures end,
       updated_at           = now()
 where user_id = :user_id and subscription_id = :subscription_id

-- name: unpause
-- A change may be what a struggling endpoint waits for.
update webhook_lanes
   set paused_until = null, pauses = 0
 where user_id = :user_id and subscription_id = :subscription_id and paused_until is not null

-- name: wake
-- There may be something to send.
select app.wake_lane(:user_id, :subscription_id, now())

-- name: rotate
-- The present secret signs beside the new one for a while, and until when.
update subscriptions
   set previous_secret     = secret,
       previous_expires_at = now() + make_interval(secs => :grace_seconds),
       secret              = :secret,
       updated_at          = now()
 where user_id = :user_id and subscription_id = :subscription_id
returning previous_expires_at

-- name: remove
-- With all that waits.
delete from subscriptions where user_id = :user_id and subscription_id = :subscription_id

-- name: bury
-- Its id stays known.
insert into subscription_tombstones (user_id, subscription_id) values (:user_id, :subscription_id)
    on conflict do nothing

-- name: is_buried
-- Whether it was deleted before.
select exists (
    select from subscription_tombstones where user_id = :user_id and subscription_id = :subscription_id
)

-- name: forget_tombstones
-- The oldest, beyond a thousand.
delete from subscription_tombstones
 where user_id = :user_id
   and subscription_id in (
        select subscription_id from subscription_tombstones
         where user_id = :user_id order by deleted_at desc offset 1000)

-- name: listening
-- What a tenant's enabled subscriptions want.
-- Bounded by the quota of subscriptions.
select subscription_id, events from subscriptions where user_id = :user_id and enabled

-- name: queue
-- Keeps the bodies of events, and queues them for those of these subscriptions that want them.
select app.queue_webhooks(:user_id, :numbers, :bodies, :subscription_ids)

-- name: claim
-- What is due, under a lease of this worker.
select * from app.claim_webhooks(:worker, :most, make_interval(secs => :lease_seconds), :lanes, :lane_calls,
                                 :tenants, :tenant_calls)

-- name: due_in
-- Seconds until more is due.
select app.webhooks_due_in()

-- name: expire
-- Leases that ran out are repeated.
select app.expire_webhooks()

-- name: settle
-- What came of a call, in a transaction of its own; null where the lease was lost.
select app.settle_webhook_alone(:user_id, :delivery_id, :worker, :state, make_interval(secs => :wait_seconds), :tried,
                                :pause, make_interval(secs => :retry_after), :gone,
                                make_interval(secs => :disable_after), :about)

-- name: sweep
-- What is old enough goes.
select app.sweep_webhooks(make_interval(secs => :keep_seconds), make_interval(secs => :keep_dead_seconds),
                          :most_waiting, :limit)

-- name: deliveries
-- Of one subscription, newest first.
select delivery_id as id, event_id, type, state, attempts, case when state = 'waiting' then due_at end as next_attempt_at,
       status, error, created_at, delivered_at
  from webhook_deliveries
 where user_id = :user_id
   and subscription_id = :subscription_id
   and (:state::text is null or state = :state)
   and (:type::text is null or type = :type)
   and (:event_id::uuid is null or event_id = :event_id)
   and (:before_at::timestamptz is null or (created_at, delivery_id) < (:before_at, :before_id::uuid))
 order by created_at desc, delivery_id desc
 limit :limit

-- name: delivery
-- One, with what was sent and what came back.
select d.delivery_id as id, d.event_id, d.type, d.state, d.attempts,
       case when d.state = 'waiting' then d.due_at end as next_attempt_at,
       d.status, d.error, d.created_at, d.delivered_at, d.tries, b.body
  from webhook_deliveries d
  join webhook_bodies b using (user_id, event_id)
 where d.user_id = :user_id and d.subscription_id = :subscription_id and d.delivery_id = :delivery_id

-- name: retry
-- From the first attempt, now; one that is under way goes on.
update webhook_deliveries
   set state = 'waiting', attempts = 0, due_at = now(), delivered_at = null, updated_at = now()
 where user_id = :user_id and subscription_id = :subscription_id and delivery_id = :delivery_id and state <> 'sending'

-- name: number_of
-- An event's place in the log, which knows it by its number only: what was delivered is known by its id.
-- What was not is looked for around the moment in its id, and only then in all of the log.
select coalesce(
    (select number from webhook_deliveries where user_id = :user_id and event_id = :event_id limit 1),
    (select number from ai_events
      where user_id = :user_id and event_id = :event_id
        and number > app.number_at(app.moment_of(:event_id) - interval '1 minute')
        and number <= app.number_at(app.moment_of(:event_id) + interval '1 minute')),
    (select number from ai_events where user_id = :user_id and event_id = :event_id))

-- name: replayable
-- What a subscription wants of the log from a moment or an event on, and whether its body is kept.
-- An hour is room for a clock that was set back.
select e.number, e.user_id, e.event_id, e.type, e.contact_id, e.conversation_id, e.message_id, e.task_id, e.payload,
       e.created_at, coalesce( -- one row at most: else all bodies of the tenant are read
            (select true from webhook_bodies b where b.user_id = e.user_id and b.event_id = e.event_id limit 1),
            false) as has_body
  from ai_events e
  join subscriptions s on s.user_id = e.user_id and s.subscription_id = :subscription_id
 where e.user_id = :user_id
   and (:since::timestamptz is null or e.created_at >= :since)
   and e.number > greatest(:after_number, app.number_at(:since - interval '1 hour'))
   and app.has_type(s.events, e.type)
   and not (e.type = 'subscription.disabled' and e.payload ->> 'subscription_id' = s.subscription_id::text)
 order by e.number
 limit :limit

-- name: replayable_count
-- How many those are.
select count(*)
  from ai_events e
  join subscriptions s on s.user_id = e.user_id and s.subscription_id = :subscription_id
 where e.user_id = :user_id
   and (:since::timestamptz is null or e.created_at >= :since)
   and e.number > greatest(:after_number, app.number_at(:since - interval '1 hour'))
   and app.has_type(s.events, e.type)

-- name: failed
-- What is dead since a moment.
select number from webhook_deliveries
 where user_id = :user_id and subscription_id = :subscription_id and state = 'dead' and updated_at >= :since
 order by number
 limit :limit

-- name: failed_count
-- How many those are.
select count(*) from webhook_deliveries
 where user_id = :user_id and subscription_id = :subscription_id and state = 'dead' and updated_at >= :since

-- name: replay
-- Queues them again, or for the first time.
select app.replay_webhooks(:user_id, :subscription_id, :numbers)
