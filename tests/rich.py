"""A tenant with a row in every tenant table, and copies of it in other databases."""

import json
import secrets

import asyncpg
import pytest

from tests.api.posts import edit
from tests.people import Person
from tests.sql.test_every_query import TENANT_TABLES

# Unique over all tenants: a twin has others.
UNIQUE = {"email_key", "token_hash", "ticket_hash", "key_hash"}


@pytest.fixture(scope="session")
async def root(cluster, database):
    """Somebody who sees everything: to make sure that there is something to see."""
    connection = await asyncpg.connect(cluster.superuser(database))
    yield connection
    await connection.close()


# Rows that only a worker, a scan or somebody else's post would write; $1 is the tenant.
BY_WORKERS = [
    """insert into notifications (user_id, type, dedupe_key, title) values ($1, 'rule_match', 'x', 'x')
       on conflict do nothing""",
    "insert into media (user_id, state) values ($1, 'failed')",
    """insert into ignored_items (user_id, ignored_id, channel_type, kind, reason, payload, size)
       values ($1, app.uuid7(), 'whatsapp', 'group', 'x', '{}', 2)""",
    "insert into ai_usage (user_id, day, provider, feature) values ($1, '2026-05-01', 'mock', 'reply')",
    "insert into lost_posts (user_id) values ($1) on conflict do nothing",
    "insert into erasures (user_id, hash) values ($1, 'x') on conflict do nothing",
    """insert into scan_digests (user_id, scan_id, type, count, ids)
       values ($1, app.uuid7(), 'stalled_lead', 21, '{}')""",
    """insert into channel_states (user_id, channel_type, account, about, failing, changed_at)
       values ($1, 'whatsapp', 'x', 'connection', true, now()) on conflict do nothing""",
    """with made as (
           insert into subscriptions (user_id, subscription_id, url, events, secret)
           values ($1, app.uuid7(), 'https://example.com/hook', '{*}', 'x') returning subscription_id
       ), laned as (
           insert into webhook_lanes (user_id, subscription_id) select $1, subscription_id from made
       ), body as (
           insert into webhook_bodies (user_id, event_id, type, body) values ($1, app.uuid7(), 'task.created', '{}')
           returning event_id
       )
       insert into webhook_deliveries (user_id, delivery_id, subscription_id, event_id, type, number, state)
       select $1, app.uuid7(), subscription_id, event_id, 'task.created', 1, 'dead' from made, body""",
    "insert into subscription_tombstones (user_id, subscription_id) values ($1, app.uuid7())",
    """insert into ai_suggestions (user_id, suggestion_id, kind, provider)
       values ($1, app.uuid7(), 'reply', 'mock')""",
    """insert into deliveries (user_id, conversation_id, channel_id, lane, kind, payload, state, due_at, give_up_at)
       select user_id, conversation_id, channel_id, conversation_id, 'read', '{}', 'done', now(), now()
         from conversations where user_id = $1 limit 1""",
]
OF_A_MESSAGE = """insert into ai_refinements (user_id, message_id, due_at) values ($1, $2, now() + interval '1 day')
                  on conflict do nothing"""
OF_A_CHANNEL = "insert into channel_hooks (user_id, channel_id) values ($1, $2)"
OF_A_RULE = "insert into rule_matches (user_id, rule_id, subject) values ($1, $2, 'x') on conflict do nothing"
OF_A_CONTACT = """insert into contact_merges (user_id, merged_id, contact_id, contact, identities, filled)
                  values ($1, app.uuid7(), $2, '{}', '[]', '{}')"""
PARTED = """insert into parted_identities (user_id, channel_type, value, other)
            values ($1, 'whatsapp', $2, $3) on conflict do nothing"""


@pytest.fixture(scope="session")
async def rich(http, address, root):
    """A tenant with a row in every tenant table."""
    rich = await Person.sign_up(http, address, "Rica")
    entry, rule = await uses_the_inbox(rich)
    channel = await connects(rich)
    for statement in BY_WORKERS:
        await root.execute(statement, rich.id)
    for statement, named in (
        (OF_A_MESSAGE, entry["message_id"]),
        (OF_A_CHANNEL, channel["id"]),
        (OF_A_RULE, rule["id"]),
        (OF_A_CONTACT, entry["contact_id"]),
    ):
        await root.execute(statement, rich.id, named)
    for one, other in (("+5511900000012", "+5511900000077"), ("+5511900000077", "+5511900000012")):
        await root.execute(PARTED, rich.id, one, other)
    number = -10 - secrets.randbelow(10**9)  # of this tenant: a second one may be made in the same run
    await root.execute(
        """insert into event_retries (consumer, number, user_id, next_at, error)
           values ('nobody', $2, $1, now() + interval '1 day', 'x')""",
        rich.id, number,
    )  # fmt: skip
    await root.execute("insert into event_backlog values ($1, 'nobody', $2)", rich.id, number)
    yield rich
    for table in ("event_retries", "event_backlog"):
        await root.execute(f"delete from {table} where consumer = 'nobody'")


async def uses_the_inbox(rich):
    """What a person and a customer write; the webhook's entry, and a rule."""
    entry = await rich.hears("Preciso disso hoje, é urgente", id="rich")
    await rich.post("/webhooks/whatsapp", edit("rich", "oi"))
    await rich.post("/webhooks/whatsapp", {"unknown": "shape"})
    await rich.made("/tasks", {"title": "Ligar", "contact_id": entry["contact_id"]})
    await rich.patch(f"/conversations/{entry['conversation_id']}", {"tags": ["vip"]})
    await rich.made(f"/contacts/{entry['contact_id']}/notes", {"text": "Boa cliente"})
    rule = await rich.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
    await rich.made("/flows", {"name": "Fluxo", "definition": {"start": "a", "nodes": []}})
    await rich.made("/facts", {"kind": "text", "name": "Horário", "text": "Das 9 às 18."})
    other = await rich.made("/contacts", {"handle": "+5511900000077"})
    await rich.post(f"/contacts/{entry['contact_id']}/merge", {"contact_id": other["id"]})
    await rich.call("POST", "/tasks", {"title": "Uma vez"}, headers={"Idempotency-Key": "once"})
    await rich.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Olá"})
    return entry, rule


async def connects(rich):
    """What a person lets in and reaches from here; the channel."""
    await rich.made("/tokens", {"name": "n8n"})
    await rich.made("/notifications/stream-ticket", None)
    channel = await rich.made("/channels", {"type": "whatsapp", "name": "Loja"})
    secret = {"provider": "whatsapp_cloud", "phone_number_id": "77", "access_token": "secret"}
    assert (await rich.put(f"/channels/{channel['id']}/connection", secret))[0] == 200
    model = {"kind": "openai", "model": "small", "api_key": "secret", "features": ["reply"]}
    assert (await rich.put("/ai/provider", model))[0] == 200
    return channel


async def rows_of(root, user_id):
    """Every row of a tenant's: table → rows as JSON texts decoded."""
    found = {}
    for table in TENANT_TABLES:
        rows = await root.fetch(f"select row_to_json(t)::text as row from {table} t where user_id = $1", user_id)
        found[table] = [json.loads(row["row"]) for row in rows]
    return found


async def transplant(superuser, rows, user_id=None):
    """Writes the rows of a tenant into the tables that are there, as somebody else's if told; ids stay the same."""
    await superuser.execute("set session_replication_role = replica")
    for table, each in rows.items():
        columns = ", ".join(await columns_of(superuser, table))
        for row in each if columns else ():
            await superuser.execute(
                f"""insert into {table} ({columns}) overriding system value
                    select {columns} from json_populate_record(null::{table}, $1::text::json)""",
                json.dumps(_another(row, user_id) if user_id else row),
            )
    await superuser.execute("set session_replication_role = origin")


async def columns_of(superuser, table):
    """Those that can be written; none where there is no such table."""
    return [
        row["name"]
        for row in await superuser.fetch(
            """select quote_ident(attname) as name from pg_attribute
                where attrelid = to_regclass($1) and attnum > 0 and not attisdropped and attgenerated = ''
                order by attnum""",
            table,
        )
    ]


def _another(row, user_id):
    """The row as somebody else's: what is unique over all tenants is turned round."""
    changed = {name: _turned(value) for name, value in row.items() if name in UNIQUE}
    if row.get("consumer") == "nobody":
        changed["number"] = -2
    return row | changed | {"user_id": user_id}


def _turned(text):
    head = "\\x" if text.startswith("\\x") else ""
    return head + text.removeprefix(head)[::-1]
