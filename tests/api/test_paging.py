"""Every list by pages of two is the list as a whole: each row once, in its order, also where moments are the same."""

import csv
import io
import json
import zipfile

import asyncpg
import pytest

from alfred.app import described
from tests.people import Person
from tests.rich import columns_of

BASE = "/api/v1"
COUNT = 6
# What each list shows more rows of: the table, its key, and the moment by which it is ordered.
ROWS = {
    "sessions": ("session_id", "created_at"),
    "api_tokens": ("token_id", "created_at"),
    "contacts": ("contact_id", "created_at"),
    "conversations": ("conversation_id", "active_at"),
    "messages": ("message_id", "sent_at"),
    "contact_notes": ("note_id", "created_at"),
    "channels": ("channel_id", "created_at"),
    "tasks": ("task_id", "created_at"),
    "contact_merges": ("merged_id", "merged_at"),
    "rules": ("rule_id", "created_at"),
    "rule_matches": ("subject", "matched_at"),
    "flows": ("flow_id", "created_at"),
    "facts": ("fact_id", "created_at"),
    "rejected_webhooks": ("rejected_id", "created_at"),
    "ignored_items": ("ignored_id", "received_at"),
    "notifications": ("notification_id", "created_at"),
    "subscriptions": ("subscription_id", "created_at"),
    "webhook_deliveries": ("delivery_id", "created_at"),
}
# What only one row may have.
OWN = ("external_account_id", "handle", "dedupe_key", "token_hash", "event_id", "name_key")
LISTS = {
    path.removeprefix(BASE): item["get"]
    for path, item in described()["paths"].items()
    if "get" in item and "cursor" in {each.get("name") for each in item["get"].get("parameters", ())}
}
# Other orders, and other ways to the same rows; a search reads an index of its own.
VARIANTS = [
    *((path, {}) for path in LISTS),
    ("/conversations", {"sort": "waiting"}),
    ("/conversations", {"urgency": "high"}),
    ("/conversations", {"needs_reply": "true"}),
    ("/conversations", {"q": "urgente"}),
    ("/contacts", {"q": "Marina"}),
    ("/facts", {"kind": "text"}),
    ("/messages", {"direction": "inbound"}),
    ("/tasks", {"priority": "medium"}),
    ("/notifications", {"seen": "false"}),
    ("/events", {"type": "task.created"}),
]


@pytest.fixture(scope="module")
async def plenty(http, address, cluster, database, soon):
    """Somebody with several rows in every list, three of each moment: pages of two part them. And ids for the paths."""
    ana = await Person.sign_up(http, address)
    for number in range(COUNT):
        await ana.hears("É urgente!", f"+55119000001{number:02}", at=1714560000)
    entry = await ana.hears("É urgente!")
    contact = entry["contact_id"]
    await ana.made(f"/contacts/{contact}/notes", {"text": "Boa cliente"})
    for _ in range(COUNT):
        await ana.made("/tasks", {"title": "Ligar", "contact_id": contact})
    rule = await ana.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
    await ana.made("/flows", {"name": "Fluxo", "definition": {"start": "a", "nodes": []}})
    await ana.made("/facts", {"kind": "text", "name": "Horário", "text": "Das 9 às 18."})
    await ana.made("/tokens", {"name": "n8n"})
    await ana.post("/webhooks/whatsapp", {"unknown": "shape"})
    assert await soon(ana.notifications)
    subscription = await ana.made("/subscriptions", {"url": "https://example.com/hook", "events": ["task.overdue"]})
    db = await asyncpg.connect(cluster.superuser(database))
    await db.execute(
        """insert into rule_matches (user_id, rule_id, subject, conversation_id) values ($1, $2, 'x', $3)""",
        ana.id, rule["id"], entry["conversation_id"],
    )  # fmt: skip
    await db.execute(
        """insert into ignored_items (user_id, ignored_id, channel_type, kind, reason, payload, size)
           values ($1, app.uuid7(), 'whatsapp', 'group', 'x', '{}', 2)""",
        ana.id,
    )
    await db.execute(
        """insert into contact_merges (user_id, merged_id, contact_id, contact, identities, filled)
           values ($1, app.uuid7(), $2, '{"name": "x"}', '[]', '{}')""",
        ana.id, contact,
    )  # fmt: skip
    await db.execute(
        """with body as (insert into webhook_bodies (user_id, event_id, type, body)
                         values ($1, app.uuid7(), 'task.created', '{}') returning event_id)
           insert into webhook_deliveries (user_id, delivery_id, subscription_id, event_id, type, number, state)
           select $1, app.uuid7(), $2, event_id, 'task.created', 1, 'dead' from body""",
        ana.id, subscription["id"],
    )  # fmt: skip
    for table, (key, moment) in ROWS.items():
        await multiply(db, table, key, moment, ana.id)
    await db.close()
    ids = {"contact_id": contact, "conversation_id": entry["conversation_id"], "subscription_id": subscription["id"]}
    return ana, ids


@pytest.fixture
def small_pages(monkeypatch):
    for place in ("exports", "contact_files.endpoints", "stream"):
        monkeypatch.setattr(f"alfred.api.{place}.PAGE", 2)


async def multiply(db, table, key, moment, user_id):
    """Copies of the newest row with keys of their own, three of each moment."""
    columns = await columns_of(db, table)
    made = {name: "app.uuid7()" for name in (key, *OWN) if name in columns}
    if "token_hash" in columns:
        made["token_hash"] = "'\\x' || encode(uuid_send(app.uuid7()), 'hex')"
    if "number" in columns:
        made["number"] = "(o.t).number + 1000 + n"
    made[moment] = f"(o.t).{moment} - make_interval(secs => n / 3)"
    pairs = ", ".join(f"'{name}', {value}" for name, value in made.items())
    await db.execute("set session_replication_role = replica")
    await db.execute(
        f"""insert into {table} ({", ".join(columns)}) overriding system value
            select made.{", made.".join(columns)}
              from (select t from {table} t where user_id = $1 order by {moment} desc limit 1) o,
                   generate_series(1, {COUNT}) n,
                   json_populate_record(o.t, json_build_object({pairs})) made""",
        user_id,
    )
    await db.execute("set session_replication_role = origin")


def test_all_lists_are_walked():
    assert len(LISTS) >= 19
    assert all(name.partition("}")[0] in {"contact_id", "conversation_id", "subscription_id"} for path in LISTS
               for name in path.split("{")[1:])  # fmt: skip


@pytest.mark.parametrize(("path", "filters"), VARIANTS, ids=str)
async def test_by_pages_is_as_a_whole(path, filters, plenty):
    ana, ids = plenty
    path = path.format(**ids)
    status, whole = await ana.get(path, limit=100, **filters)
    assert status == 200, whole
    assert (whole["has_more"], whole["next_cursor"]) == (False, None)
    assert len(whole["items"]) > COUNT - 2, "too few rows to be walked through"
    walked, sizes, cursor = [], [], {}
    while cursor is not None and len(sizes) <= len(whole["items"]):
        _, page = await ana.get(path, limit=2, **filters, **cursor)
        assert page["has_more"] == (page["next_cursor"] is not None)
        walked += page["items"]
        sizes.append(len(page["items"]))
        cursor = {"cursor": page["next_cursor"]} if page["has_more"] else None
    assert walked == whole["items"]
    assert set(sizes[:-1]) <= {2}
    assert sizes[-1] in {1, 2}


@pytest.mark.parametrize("limit", [3, 4, 5])
async def test_messages_after_one_by_pages(limit, plenty):
    """The same thread, oldest first, from the oldest one on."""
    ana, ids = plenty
    path = f"/conversations/{ids['conversation_id']}/messages"
    _, whole = await ana.get(path, limit=100)
    newest_first = [each["id"] for each in whole["items"]]
    walked, cursor = [], {}
    while cursor is not None and len(walked) <= len(newest_first):
        _, page = await ana.get(path, limit=limit, after=newest_first[-1], **cursor)
        walked += [each["id"] for each in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["has_more"] else None
    assert walked == newest_first[-2::-1]
    for place, message in enumerate(newest_first):
        _, page = await ana.get(path, limit=limit, around=message)
        start = max(0, place - limit // 2)
        assert [each["id"] for each in page["items"]] == newest_first[start : start + limit], place


async def test_events_after_a_position_by_pages(plenty):
    ana, _ = plenty
    _, whole = await ana.get("/events", after="beginning", limit=200)
    assert whole["has_more"] is False
    walked, after, more = [], "beginning", True
    while more and len(walked) <= len(whole["items"]):
        _, page = await ana.get("/events", after=after, limit=2)
        walked += page["items"]
        after, more = page["after"], page["has_more"]
    assert walked == whole["items"]
    assert len(walked) > COUNT


async def test_an_export_has_each_row_once(plenty, small_pages):
    ana, _ = plenty
    _, _, raw = await ana.call("GET", "/me/export")
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        told = {name: json.loads(archive.read(name)) for name in archive.namelist() if name.endswith(".json")}
    for kind in ("contacts", "conversations", "tasks", "notifications", "rules", "flows", "messages"):
        _, whole = await ana.get(f"/{kind}", limit=100)
        (key,) = [name for name in told[f"{kind}.json"][0] if name in {"id", f"{kind[:-1]}_id"}]
        assert sorted(each[key] for each in told[f"{kind}.json"]) == sorted(each["id"] for each in whole["items"]), kind


async def test_a_file_of_contacts_has_each_once(plenty, small_pages):
    ana, _ = plenty
    _, _, raw = await ana.call("GET", "/contacts/export")
    _, whole = await ana.get("/contacts", limit=100)
    rows = [*csv.reader(io.StringIO(raw.decode("utf-8-sig")))][1:]
    assert len(rows) == len(whole["items"]) > COUNT


async def test_a_stream_tells_all_that_was_missed_once(plenty, small_pages):
    ana, _ = plenty
    _, whole = await ana.get("/notifications", limit=100)
    *missed, oldest = [each["id"] for each in whole["items"]]
    async with ana.listening(headers={"Last-Event-ID": oldest}) as frames:
        told = [(await frames.next())["id"] for _ in missed]
    assert told == missed[::-1]
