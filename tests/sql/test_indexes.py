"""What every index and every foreign key must be, so that tenants stay apart and deletions are short."""

from tests.sql.test_every_query import TENANT_TABLES

# They cross tenants by design: look-ups of secrets, the bus, the queues of the scans.
INDEXES_ACROSS_TENANTS = {
    "conversations_asleep",
    "message_updates_by_age",
    "notifications_by_age",
    "rule_matches_by_age",
    "ai_suggestions_by_age",
    "contact_merges_by_age",
    "idempotency_keys_oldest",
    "rejected_webhooks_oldest",
    "ignored_items_oldest",
    "api_tokens_by_expiry",
    "refresh_tokens_by_expiry",
    "stream_tickets_by_expiry",
    "sessions_by_end",
    "event_retries_dead",
    "messages_due",
    "messages_external_id_taken",  # by a digest, of the tenant too
    "deliveries_due",
    "deliveries_leased",
    "deliveries_given_up",
    "deliveries_settled",
    "webhook_lanes_next",
    "webhook_bodies_by_age",
    "webhook_deliveries_leased",
    "webhook_deliveries_settled",
    "logins_email_taken",
    "refresh_tokens_key",
    "refresh_tokens_by_family",
    "stream_tickets_key",
    "api_token_hashes_key",
    "hook_keys_key",
    "ai_refinements_due",
    "media_due",
    "media_unused",
    "media_by_id",
    "media_by_message",
    "ai_events_by_xid",
    "ai_events_by_conversation",
    "ai_events_by_contact",
    "message_payloads_key",
    "event_retries_key",
    "event_retries_due",
    "tasks_to_announce",
    "conversations_to_announce",
}


async def test_every_foreign_key_says_what_a_deletion_does(root):
    for row in await root.fetch(
        """select conname, confdeltype, conrelid::regclass::text as child, confrelid::regclass::text as parent,
                  array(select attname::text from unnest(conkey) with ordinality k (number, at)
                          join pg_attribute on attrelid = conrelid and attnum = k.number order by at) as columns
             from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace"""
    ):
        assert row["confdeltype"] in {b"c", b"n"}, row["conname"]
        if row["child"] in TENANT_TABLES:
            assert row["columns"][0] == "user_id", row["conname"]


async def test_every_index_begins_with_the_tenant(root):
    rows = await root.fetch(
        """select i.relname as name, t.relname as table, a.attname as first
             from pg_index x join pg_class i on i.oid = indexrelid join pg_class t on t.oid = indrelid
             left join pg_attribute a on a.attrelid = t.oid and a.attnum = indkey[0]
            where t.relnamespace = 'public'::regnamespace"""
    )
    others = {row["name"] for row in rows if row["table"] in TENANT_TABLES and row["first"] != "user_id"}
    assert others == INDEXES_ACROSS_TENANTS


async def test_every_child_has_an_index_for_its_foreign_key(root):
    """Else the deletion of a parent reads the whole child. The parent's id alone will do: it is a single tenant's."""
    rows = await root.fetch(
        """select conname from pg_constraint c
            where contype = 'f' and connamespace = 'public'::regnamespace
              and not exists (select from pg_index i where i.indrelid = c.conrelid
                                and ((i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey
                                     or c.conkey[1] = (select attnum from pg_attribute
                                                        where attrelid = c.conrelid and attname = 'user_id')
                                        and i.indkey[0] = c.conkey[2]))"""
    )
    assert [row["conname"] for row in rows] == []
