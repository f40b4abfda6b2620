drop index ai_suggestions_by_time;

drop index messages_by_time;

drop index rule_matches_by_time;

create index tasks_by_contact on tasks (user_id, contact_id);

drop index tasks_of_contact;

create or replace function app.move_to_contact(p_user uuid, p_kept uuid, p_gone uuid) returns void
language plpgsql volatile
as $$
begin
    with moved as (
        update conversations set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning conversation_id
    )
    update contact_merges set conversations = array(select conversation_id from moved)
     where user_id = p_user and merged_id = p_gone;
    with moved as (
        update tasks set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning task_id
    )
    update contact_merges set tasks = array(select task_id from moved)
     where user_id = p_user and merged_id = p_gone;
    with moved as (
        update notifications set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning notification_id, conversation_id
    )
    update contact_merges m
       set notifications = array(select notification_id from moved where conversation_id = any (m.conversations) is not true)
     where m.user_id = p_user and m.merged_id = p_gone;
    with moved as (
        update ai_events set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning number, conversation_id
    )
    update contact_merges m
       set events = array(select number from moved where conversation_id = any (m.conversations) is not true)
     where m.user_id = p_user and m.merged_id = p_gone;
    with moved as (
        update contact_merges set contact_id = p_kept where user_id = p_user and contact_id = p_gone
        returning merged_id
    )
    update contact_merges set merges = array(select merged_id from moved)
     where user_id = p_user and merged_id = p_gone;
end $$;

alter table contact_merges drop column notes;

drop table contact_notes;
