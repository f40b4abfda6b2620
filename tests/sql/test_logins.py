"""Each login may call the functions of its own work, and nobody else may: an injection does not reach everything."""

import asyncpg
import psycopg
import pytest

from alfred import schema
from alfred.logins import Logins, sizes_beside
from alfred.running import Provisioned
from alfred.settings import Settings
from alfred.upkeep import dead_events, rotate_secrets, scan_once
from alfred.user_accounts import _add_account
from tests.conftest import SECRET, serving
from tests.people import Person
from tests.sql.test_every_query import TENANT_TABLES

# Every function that acts as its owner, by the one login that may call it. alfred_bus_app is a member of alfred_app.
WORK = {
    "alfred_app": {
        "end_own_session", "erase_own_user", "erased_items", "forget_own_attempts", "forget_own_failures",
        "forget_own_traces", "issue_ticket", "log_begins_at", "messages_keyed", "number_before",
        "search_contacts", "search_conversations", "search_found", "search_hits_of", "search_is_common",
        "search_matches", "search_page", "search_rare", "take_in_known",
    },
    "alfred_auth_app": {
        "change_own_password", "change_password", "end_session", "find_hook", "find_login", "find_media", "find_token",
        "judge_login", "login_failed", "login_of", "own_login", "own_password_hash", "owner_of_token",
        "redeem_opener", "redeem_ticket", "register", "renew_password_hash", "renew_session", "session_holds",
        "start_session", "streams_ended",
    },
    "alfred_bus_app": {
        "begin_overdue", "begin_stalled", "bus_announce", "bus_announce_digests", "bus_dead", "bus_done", "bus_failed",
        "bus_hold", "bus_join", "bus_look", "bus_next_retry", "bus_notify", "bus_put_aside", "bus_read", "bus_retry",
        "bus_revive", "bus_rules", "bus_settled", "bus_situations", "bus_skip", "bus_state", "bus_subjects", "bus_tell",
        "bus_turn", "bus_with_files", "claim_deliveries", "claim_media", "claim_refinements", "claim_scan",
        "claim_webhooks", "delivery_lag", "due_messages", "events_of_users", "expire_webhooks", "failing_channels",
        "forget_old", "forget_old_events", "forget_old_matches", "forget_old_payloads", "forget_settled_deliveries",
        "forget_unused_media", "media_due_in", "next_delivery_at", "notifications_after", "overdue_deliveries",
        "refinements_due_in", "release_deliveries", "scan_overdue", "scan_stalled", "sweep_webhooks", "unknown_media",
        "users_who_fetch_words", "users_who_refine", "users_with_flows", "users_with_models", "users_with_rules",
        "users_with_secrets", "users_with_subscriptions", "wake_snoozed", "webhooks_due_in",
    },
    "alfred_owner": {"set_password"},
    "alfred_scan": {"begin_log_at"},
}  # fmt: skip
# What an injected statement would try: (statement, the logins that may).
TRIED = [
    ("select * from app.find_login('ana@example.com', '1', interval '1 hour')", {"auth"}),
    ("select * from app.judge_login('ana@example.com', '1', interval '1 hour')", {"auth"}),
    ("select app.start_session(gen_random_uuid(), gen_random_uuid(), 'x', now())", {"auth"}),
    ("select * from app.login_of(gen_random_uuid())", {"auth"}),
    ("select app.change_password(gen_random_uuid(), 'x', null, interval '0')", {"auth"}),
    ("select * from app.find_token('x')", {"auth"}),
    ("select app.bus_join('rules')", {"bus"}),
    ("select * from app.bus_look(array['rules'], array['{}'::jsonb], array['x'], array[1::smallint], 1)", {"bus"}),
    ("select app.bus_done('rules', gen_random_uuid(), array[1])", {"bus"}),
    ("select app.bus_settled('rules', 1)", {"bus"}),
    ("select * from app.events_of_users(array[]::uuid[], null, null, 0, 1)", {"bus"}),
    ("select * from app.claim_deliveries(gen_random_uuid(), 1, interval '1 s', 1, '{}', '{}')", {"bus"}),
    ("select * from app.users_with_secrets()", {"bus"}),
    ("select * from bus_cursors", set()),
    ("select * from logins", set()),
    ("select app.separate_logins(false)", set()),
    ("select lo_from_bytea(0, 'x')", set()),
    ("select lo_creat(-1)", set()),
    ("select lo_get(1)", set()),
    ("select query from pg_stat_activity", set()),
    ("select * from users", {"app", "bus"}),  # nobody's without a hat
]


@pytest.fixture(scope="module")
async def connections(cluster, database):
    logins = cluster.logins(database)
    opened = {name: await asyncpg.connect(getattr(logins, name)) for name in ("app", "auth", "bus")}
    yield opened
    for connection in opened.values():
        await connection.close()


async def test_each_function_is_for_one_login_and_none_for_everybody(root):
    rows = await root.fetch(
        """select proname, grantee::regrole::text as login
             from pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner)))
            where pronamespace = 'app'::regnamespace and prosecdef and grantee <> proowner"""
    )
    found = {(row["proname"], row["login"]) for row in rows}
    assert found == {(name, login) for login, names in WORK.items() for name in names}
    every = await root.fetch("select proname from pg_proc where pronamespace = 'app'::regnamespace and prosecdef")
    assert {row["proname"] for row in every} == {name for name, _ in found}


@pytest.mark.parametrize(("statement", "allowed"), TRIED, ids=[statement[:40] for statement, _ in TRIED])
async def test_an_injected_statement_reaches_no_more_than_its_login(statement, allowed, connections):
    may = set()
    for name, connection in connections.items():
        held = connection.transaction()
        await held.start()
        try:
            assert await connection.fetch(statement) is not None
            may.add(name)
        except asyncpg.InsufficientPrivilegeError:
            pass
        except asyncpg.PostgresError:
            may.add(name)
        finally:
            await held.rollback()
    assert may == allowed


async def test_a_later_function_cannot_be_forgotten(cluster):
    owner = cluster.owner(cluster.copy())
    with psycopg.connect(owner, autocommit=True) as db:
        db.execute("create function app.later() returns int language sql security definer as 'select 1'")
        db.execute("select app.close_functions()")
        assert not db.execute("select has_function_privilege('alfred_app', 'app.later()', 'execute')").fetchone()[0]


async def test_nobody_is_special(root):
    for role in ("alfred_auth_app", "alfred_bus_app"):
        row = await root.fetchrow("select * from pg_roles where rolname = $1", role)
        rights = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
        assert not any(row[right] for right in rights), role
        for schema_name in ("app", "public"):
            assert not await root.fetchval("select has_schema_privilege($1, $2, 'create')", role, schema_name)
    members = await root.fetch(
        "select roleid::regrole::text || ' ' || member::regrole::text as line from pg_auth_members"
        " where member::regrole::text ~ '^alfred_.*app$'"
    )
    assert [row["line"] for row in members] == ["alfred_app alfred_bus_app"]


async def test_one_login_still_does_everything_until_all_are_used(cluster, http):
    """As before, so that an upgrade starts; and while a process with one login runs, nothing is taken from it."""
    name = cluster.copy()
    owner, one = cluster.owner(name), Logins(cluster.app(name))
    async with serving(one) as address:
        rosa = await Person.sign_up(http, address, "Rosa")
        assert schema.separate_logins(owner, True) > 0
        async with serving(cluster.logins(name)) as newer:
            assert (await Person(http, newer, rosa.session).get("/me"))[0] == 200
        assert (await rosa.get("/me"))[0] == 200
    async with serving(cluster.logins(name)) as newer:
        assert schema.separate_logins(owner, True) == 0
        assert (await Person(http, newer, rosa.session).get("/me"))[0] == 200
        with pytest.raises(Exception, match="the logins of this database are separate"):
            async with serving(one):
                pass
    schema.separate_logins(owner, False)
    async with serving(one) as address:
        assert (await Person(http, address, rosa.session).get("/me"))[0] == 200


async def test_the_operators_commands_use_the_separate_logins(cluster):
    name = cluster.copy()
    schema.separate_logins(cluster.owner(name), True)
    base = Provisioned(Settings(secret_key=SECRET, bcrypt_cost=4), cluster.logins(name), "", None)
    await _add_account(base, "ana@example.com", "Ana", "a good password")
    assert [await scan_once(base, scan) for scan in ("overdue", "stalled")] == [0, 0]
    assert await dead_events(base, retry=False) == "none"
    assert await dead_events(base, retry=True) == "0 events will be tried again"
    assert await rotate_secrets(base) == "0 secrets are encrypted anew"


def test_pools_are_small():
    assert [sizes_beside(size) for size in (2, 10, 100)] == [(2, 4), (3, 5), (33, 50)]


# What speaks of one tenant ($1), tried with what belongs to others wherever it takes more than that.
OF_ONE = [
    "select app.change_password($1, 'x', null, interval '1 hour')",
    "select app.change_own_password('x', null, interval '1 hour') from users where user_id = $1",
    "select app.end_own_session(session_id) from sessions where user_id <> $1",
    "select app.erase_own_user() from users where user_id = $1",
    "select app.forget_own_failures() from users where user_id = $1",
    "select app.forget_own_traces() from users where user_id = $1",
    "select app.forget_own_attempts(array_agg(number)) from ai_events where user_id <> $1",
    "select app.renew_password_hash($1, password_hash, 'x') from logins where user_id <> $1",
    """select app.start_session($1, gen_random_uuid(), 'x', interval '1 hour', interval '1 hour', false, '', '')""",
    """select app.issue_ticket(user_id, decode(md5(user_id::text), 'hex'), now(), null, null, null)
         from users where user_id <> $1""",
    """select app.renew_session(token_hash, 'y', interval '1 hour', interval '1 hour', false, interval '0')
         from refresh_tokens where user_id = $1""",
    "select app.end_session(token_hash) from refresh_tokens where user_id = $1",
]
DIGEST = " union all ".join(
    f"select '{table}', md5(string_agg(t::text, '' order by t::text)) from {table} t where user_id <> $1"
    for table in TENANT_TABLES
)


@pytest.mark.parametrize("statement", OF_ONE, ids=[statement.split("(")[0] for statement in OF_ONE])
async def test_what_speaks_of_one_leaves_the_others_alone(statement, rich, ana, root):
    """Functions that act as their owner see everybody's rows: only their own predicates keep tenants apart."""
    held = root.transaction(isolation="repeatable_read")
    await held.start()
    try:
        await root.execute(
            """insert into login_failures (email_key, address) select email_key, '203.0.113.9' from logins
                where user_id = $1""",
            rich.id,
        )
        failures = "select count(*) from login_failures where address = '203.0.113.9'"
        before = dict(await root.fetch(DIGEST, ana.id))
        await root.execute("select app.act_as($1)", ana.id)
        await root.fetch(statement, ana.id)
        after = dict(await root.fetch(DIGEST, ana.id))
        assert [name for name, rows in before.items() if after[name] != rows] == []
        assert await root.fetchval(failures) == 1
    finally:
        await held.rollback()


def test_a_login_of_another_name_gets_the_rights(fifteen):
    schema.found(fifteen.dsn("postgres", "postgres"), "another")
    owner = fifteen.dsn(schema.OWNER, "another")
    schema.apply(owner)
    for role, name in ((schema.APP, "another_app"), (schema.BUS, "another_bus")):
        schema.ensure_login(owner, fifteen.dsn(name, "another"), role)
    schema.separate_logins(owner, True)
    for name, may in (("another_app", False), ("another_bus", True)):
        with psycopg.connect(fifteen.dsn(name, "another")) as db:
            assert db.execute("select count(*) from contacts").fetchone() == (0,)
            found = db.execute("select has_function_privilege('app.bus_join(text)', 'execute')").fetchone()
            assert found == (may,), name
