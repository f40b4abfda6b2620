-- depends: 0038.echoes

-- A connection with its secrets as they are encrypted, under its tenant's hat: for one call, in one round-trip.
create function app.connection_of(p_user uuid, p_channel uuid) returns jsonb
language plpgsql volatile
as $$
begin
    perform app.act_as(p_user);
    return (
        select jsonb_build_object(
                   'channel_id', k.channel_id, 'type', h.type, 'provider', k.provider, 'state', k.state,
                   'config', k.config, 'options', k.options,
                   'secrets', (select coalesce(jsonb_object_agg(s.name, encode(s.sealed, 'base64')), '{}')
                                 from connection_secrets s where s.user_id = p_user and s.channel_id = p_channel),
                   'key', (select jsonb_build_object('provider', y.provider, 'sealed', encode(y.sealed, 'base64'))
                             from hook_keys y
                            where y.user_id = p_user and y.channel_id = p_channel
                              and (y.expires_at is null or y.expires_at > now())
                            order by y.created_at desc, y.key_id desc limit 1))
          from connections k join channels h using (user_id, channel_id)
         where k.user_id = p_user and k.channel_id = p_channel);
end $$;

grant create on schema app to alfred_deliver;

-- How long what is due has waited to be claimed: 0 while the workers keep up.
create function app.delivery_lag() returns double precision
language sql stable security definer set search_path = public, pg_temp
as $$
    select coalesce(extract(epoch from clock_timestamp() - min(due_at)), 0)::double precision
      from deliveries where state = 'waiting' and due_at <= clock_timestamp()
$$;

alter function app.delivery_lag() owner to alfred_deliver;

revoke create on schema app from alfred_deliver;
