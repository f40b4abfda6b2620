-- depends: 0030.webhooks

-- Settles in a transaction of its own, with one round-trip: puts on the tenant's hat, and tells when the subscription
-- is disabled by it.
create function app.settle_webhook_alone(
    p_user uuid, p_delivery uuid, p_worker uuid, p_state text, p_wait interval, p_try jsonb,
    p_pause boolean, p_retry_after interval, p_gone boolean, p_disable_after interval, p_about jsonb
) returns text
language plpgsql volatile
as $$
declare
    v_result text;
begin
    perform set_config('app.user_id', p_user::text, true);
    v_result := app.settle_webhook(
        p_user, p_delivery, p_worker, p_state, p_wait, p_try, p_pause, p_retry_after, p_gone, p_disable_after);
    if v_result in ('gone', 'failing') then
        perform app.record(p_user, 'subscription.disabled',
                           p_payload => p_about || jsonb_build_object('reason', v_result));
    end if;
    return v_result;
end $$;
