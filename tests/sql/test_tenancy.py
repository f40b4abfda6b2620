"""Row level security, tried by a stranger on every table; the shape of the schema that it rests on."""

import json

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from tests.sql.test_every_query import TENANT_TABLES

# Read and written by the service functions only: the application itself has no right to them.
SERVICE_TABLES = {"logins", "refresh_tokens", "stream_tickets", "event_retries", "event_backlog"}
OTHER_TABLES = {"login_failures", "bus_cursors", "event_log", "scan_runs"}
READING = {
    "sentiment": "neutral", "sentiment_score": 0, "urgency": "low", "negotiation": False, "should_create_task": False,
    "intent": "other", "language": None, "confidence": 0.5, "provider": "mock",
}  # fmt: skip
SERVICE_ROLES = {"alfred_auth", "alfred_bus", "alfred_scan", "alfred_search", "alfred_deliver", "alfred_intake"}


@pytest.fixture
async def hat(app_db):
    """Puts a person's hat on the application's connection, in a transaction that is rolled back."""
    transaction = app_db.transaction()
    await transaction.start()

    async def wear(person):
        await app_db.execute("select app.act_as($1)", person.id)
        return app_db

    yield wear
    await transaction.rollback()


async def attempt(connection, statement, *arguments):
    """The number of rows, or 'refused'."""
    try:
        async with connection.transaction():
            return int((await connection.execute(statement, *arguments)).split()[-1])
    except asyncpg.InsufficientPrivilegeError:
        return "refused"


async def row_of(root, table, person):
    """One row of a person's, and its columns that can be written."""
    row = await root.fetchval(f"select row_to_json(t)::text from {table} t where user_id = $1 limit 1", person.id)
    assert row is not None, f"{table} holds nothing to be protected: give the rich tenant a row"
    columns = await root.fetchval(
        """select string_agg(quote_ident(attname), ', ') from pg_attribute
            where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''""",
        table,
    )
    return json.loads(row), columns


async def test_the_tables_are_those_of_the_migrations(root):
    found = await root.fetch("select tablename from pg_tables where schemaname = 'public'")
    names = {row["tablename"] for row in found if not row["tablename"].lstrip("_").startswith("yoyo")}
    assert names == {*TENANT_TABLES, *OTHER_TABLES}


async def test_every_table_has_forced_row_level_security_and_a_policy(root):
    rows = await root.fetch(
        """select relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) as owner,
                  (select count(*) from pg_policy where polrelid = c.oid) as policies
             from pg_class c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"""
    )
    for row in rows:
        if "yoyo" not in row["relname"]:
            assert row["relrowsecurity"], row["relname"]
            assert row["relforcerowsecurity"], row["relname"]
            assert row["policies"] > 0, row["relname"]
            assert row["owner"] == "alfred_owner", row["relname"]


async def test_the_tenants_policies_cover_reading_and_writing(root):
    rows = await root.fetch(
        """select p.polname, c.relname, pg_get_expr(polqual, polrelid) as read,
                  pg_get_expr(polwithcheck, polrelid) as write,
                  array(select pg_get_userbyid(r) from unnest(polroles) r where r <> 0) as roles
             from pg_policy p join pg_class c on c.oid = p.polrelid"""
    )
    for row in rows:
        if row["polname"] == f"{row['relname']}_own" and row["relname"] != "api_token_hashes":
            assert row["read"] == row["write"] == "(user_id = app.current_user_id())", row["polname"]
        else:
            assert {*row["roles"]} <= SERVICE_ROLES | {"alfred_app"}, row["polname"]
            assert row["roles"], row["polname"]
            assert "alfred_app" not in row["roles"] or "current_user_id" in row["write"], row["polname"]


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_a_stranger_can_do_nothing(table, rich, bruno, hat, root):
    row, columns = await row_of(root, table, rich)
    db = await hat(bruno)
    mine = f"from {table} where user_id = '{rich.id}'"
    assert await attempt(db, f"select {mine}") in {0, "refused"}
    assert await attempt(db, f"delete {mine}") in {0, "refused"}
    writable = await db.fetchval(
        """select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0 and attgenerated = ''
              and has_column_privilege($1, attname, 'update') limit 1""",
        table,
    )
    if writable:
        assert await attempt(db, f"update {table} set {writable} = {writable} where user_id = '{rich.id}'") == 0
    copy = f"insert into {table} ({columns}) select {columns} from json_populate_record(null::{table}, $1)"
    assert await attempt(db, copy, row) == "refused"
    assert await attempt(db, copy, row | {"user_id": str(uuid7())}) == "refused"


@pytest.mark.parametrize("table", [table for table in TENANT_TABLES if table not in SERVICE_TABLES])
async def test_a_tenant_cannot_give_a_row_away(table, rich, bruno, hat, root):
    await row_of(root, table, rich)
    db = await hat(rich)
    assert await attempt(db, f"update {table} set user_id = '{bruno.id}'") == "refused"


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_without_a_hat_there_is_nothing(table, rich, app_db, root):
    await row_of(root, table, rich)
    for blank in ("''", "null"):
        async with app_db.transaction():
            await app_db.execute(f"select set_config('app.user_id', {blank}, true)")
            assert await attempt(app_db, f"select from {table}") in {0, "refused"}
            assert await attempt(app_db, f"delete from {table}") in {0, "refused"}


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_the_owner_is_bound_too(table, rich, cluster, database, root):
    """Also by the policies of the service roles: it is one of them only while it migrates."""
    await row_of(root, table, rich)
    owner = await asyncpg.connect(cluster.owner(database))
    held = owner.transaction()
    await held.start()
    try:
        assert await attempt(owner, f"select from {table}") == 0
        assert await attempt(owner, f"delete from {table}") == 0
    finally:
        await held.rollback()
        await owner.close()


async def test_the_application_sees_only_what_its_hat_allows(rich, hat, root):
    """The other way round: the tenant's own rows are there."""
    db = await hat(rich)
    for table in TENANT_TABLES:
        if table not in SERVICE_TABLES | {"api_token_hashes"}:
            everything = await root.fetchval(f"select count(*) from {table} where user_id = $1", rich.id)
            assert await attempt(db, f"select from {table}") == everything > 0, table


async def test_functions_that_change_the_role_choose_their_schemas(root):
    rows = await root.fetch(
        """select proname, proconfig, pg_get_userbyid(proowner) as owner, r.rolcanlogin, r.rolsuper, r.rolbypassrls
             from pg_proc join pg_roles r on r.oid = proowner where prosecdef and pronamespace = 'app'::regnamespace"""
    )
    assert len(rows) > 20
    for row in rows:
        assert "search_path=public, pg_temp" in row["proconfig"], row["proname"]
        assert row["owner"] in SERVICE_ROLES, row["proname"]
        assert not any(row[right] for right in ("rolcanlogin", "rolsuper", "rolbypassrls")), row["owner"]


async def test_the_application_is_nobody_special(root):
    row = await root.fetchrow("select * from pg_roles where rolname = 'alfred_app'")
    assert not any(
        row[right] for right in ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
    )
    assert await root.fetch("select from pg_auth_members where member = 'alfred_app'::regrole") == []
    assert not await root.fetchval("select has_schema_privilege('alfred_app', 'app', 'create')")
    assert not await root.fetchval("select has_schema_privilege('alfred_app', 'public', 'create')")
    for role in SERVICE_ROLES:
        assert not await root.fetchval("select has_schema_privilege($1, 'app', 'create')", role), role


async def test_a_search_needs_a_hat(app_db):
    for name in ("search_conversations", "search_contacts"):
        assert await attempt(app_db, f"select app.{name}('oi')") == "refused"


async def test_what_speaks_of_oneself_says_nothing_without_a_hat(rich, app_db, root):
    async with app_db.transaction():
        await app_db.execute("select app.erase_own_user()")
        assert not await app_db.fetchval("select app.end_own_session(session_id) from sessions")
    assert await root.fetchval("select count(*) from users where user_id = $1", rich.id) == 1


async def test_a_hat_is_for_somebody_who_is_there(app_db):
    with pytest.raises(asyncpg.PostgresError) as raised:
        await app_db.execute("select app.act_as($1)", uuid7())
    assert raised.value.sqlstate == "AL401"


async def test_a_hat_comes_off_with_the_transaction(rich, app_db):
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", rich.id)
        assert await app_db.fetchval("select count(*) from contacts") == 1
    assert await app_db.fetchval("select count(*) from contacts") == 0
    assert await app_db.fetchval("select app.current_user_id()") is None


async def test_nothing_is_taken_in_for_somebody_else(rich, bruno, hat):
    """The way in, called with one hat and another's id."""
    item = {
        "user_id": rich.id, "kind": "message", "channel_type": "whatsapp", "recipient": "1", "handles": ["+55119"],
        "text": "oi", "message_id": str(uuid7()), "attachments": [], "classification": {}, "raw": "{}",
    }  # fmt: skip
    db = await hat(bruno)
    for name in ("take_in_message", "take_in_watermark", "take_in_update"):
        extra = {"update": "read", "target": "x", "detail": "", "sent_at": "2024-05-01T12:00:00Z"}
        outcome = None
        try:
            async with db.transaction():
                outcome = await db.fetchval(f"select app.{name}($1, $2)", rich.id, item | extra)
        except asyncpg.InsufficientPrivilegeError:
            continue
        assert (name, outcome["conversation_id"]) == ("take_in_watermark", None)
    assert await attempt(db, "select app.record($1, 'message.received')", rich.id) == "refused"


async def test_a_batch_of_two_tenants_keeps_them_apart(rich, bruno, app_db):
    def item(person, text):
        return {
            "user_id": person.id, "kind": "message", "channel_type": "whatsapp", "recipient": "shared",
            "handles": ["+5511900000444"], "name": None, "text": text, "sent_at": None, "target": text,
            "external_id": text, "dedupe_key": text, "message_id": str(uuid7()), "reply_to": None, "attachments": [],
            "classification": READING, "raw": "{}",
        }  # fmt: skip

    people = [rich, bruno, rich, bruno]
    async with app_db.transaction():
        outcomes = await app_db.fetchval(
            "select app.take_in($1)", [item(person, f"m{number}") for number, person in enumerate(people)]
        )
    for person, first, second in ((rich, 0, 2), (bruno, 1, 3)):
        (found,) = [each for each in await person.conversations() if each["contact"]["handle"] == "+5511900000444"]
        assert {found["id"]} == {outcomes[n]["conversation_id"] for n in (first, second)}
        bodies = [message["body"] for message in await person.messages(found["id"])]
        assert sorted(bodies) == [f"m{first}", f"m{second}"]


async def test_a_ticket_is_issued_for_ones_own_stream_only(ana, bruno, root):
    held = root.transaction()
    await held.start()
    try:
        await root.execute("set local role alfred_app")
        await root.execute("select app.act_as($1)", ana.id)
        for number, person in enumerate((ana, bruno)):
            issue = "select app.issue_ticket($1, $2, now() + interval '9 days', null, null, null)"
            await root.execute(issue, person.id, bytes([number]))
        await root.execute("reset role")
        rows = await root.fetch(
            "select user_id, expires_at < now() + interval '6 minutes' as soon"
            " from stream_tickets where length(ticket_hash) = 1"
        )
        assert [(str(row["user_id"]), row["soon"]) for row in rows] == [(ana.id, True)]
    finally:
        await held.rollback()
