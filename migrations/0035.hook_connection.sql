-- depends: 0034.media

-- What a post is checked with, in one round-trip: the hat of its tenant is put on first, so that the policies hold.
-- app.connection_of is made later, and is looked for when this is called.
create function app.hook_connection(p_user uuid, p_channel uuid) returns jsonb
language plpgsql volatile
as $$
begin
    perform app.act_as(p_user);
    return app.connection_of(p_user, p_channel) || jsonb_build_object('account', (
        select h.external_account_id from channels h where h.user_id = p_user and h.channel_id = p_channel));
end $$;
