drop function app.close_functions();

drop function app.separate_logins(boolean);

drop function app.change_password(uuid, text, uuid, interval);

drop function app.login_of(uuid);

-- The roles stay: another database of the cluster may use them.
do $$
declare
    v_closed text[] := array[
        'begin_log_at', 'bus_announce', 'bus_announce_digests', 'bus_done', 'bus_look', 'bus_next_retry',
        'bus_put_aside', 'bus_rules', 'bus_situations', 'bus_state', 'bus_subjects', 'bus_turn', 'bus_with_cancellable',
        'bus_with_files', 'erased_items', 'forget_old', 'forget_old_events', 'forget_old_matches',
        'forget_old_payloads', 'forget_own_attempts', 'forget_own_failures', 'forget_own_traces', 'judge_login',
        'own_login', 'set_password', 'take_in_known', 'users_with_models'];
    v_function record;
begin
    for v_function in
        select oid::regprocedure as name, proname from pg_proc
         where pronamespace = 'app'::regnamespace and prosecdef and proname not in ('begin_log_at', 'set_password')
    loop
        execute format('revoke execute on function %s from alfred_auth_app, alfred_bus_app, alfred_app', v_function.name);
        execute format('grant execute on function %s to %s', v_function.name,
                       case when v_function.proname = any (v_closed) then 'alfred_app' else 'public' end);
    end loop;
end $$;

revoke usage on schema app from alfred_auth_app, alfred_bus_app;
