"""Who is erased leaves nothing behind, and is not brought back by what was there before."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from alfred.crm import erasure
from tests.api.posts import edit, reaction
from tests.people import Person, delivery

WORD = "xilofonequebrado"
NUMBER = "+5511987650001"
DIGITS = NUMBER.lstrip("+")
CSV = {"Content-Type": "text/csv"}


@pytest.fixture
async def root(cluster, database):
    connection = await asyncpg.connect(cluster.superuser(database))
    yield connection
    await connection.close()


async def places_of(root, *words):
    """Every column of every table that has one of the words somewhere: texts, JSON, bytes, arrays."""
    places = set()
    for table, column, kind in await root.fetch(
        """select c.relname, a.attname, format_type(a.atttypid, null)
             from pg_attribute a join pg_class c on c.oid = attrelid
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
              and not a.attisdropped and c.relname not like '%yoyo%'"""
    ):
        text = f"encode({column}, 'escape')" if kind == "bytea" else f'"{column}"::text'
        text = text.replace(f"({column},", f'("{column}",')
        for word in words:
            if await root.fetchval(f'select exists (select from "{table}" where {text} ilike $1)', f"%{word}%"):
                places.add(f"{table}.{column}")
    return places


async def plant(person, word, number):
    """The word by every entrance that tells of one customer; the contact's id and the message."""
    entry = await person.hears(f"desconto {word}", number, id=f"{word}-1", name=f"Marina {word}")
    await person.post("/webhooks/whatsapp", edit(f"{word}-1", f"desconto edited {word}", sender=number))
    await person.post("/webhooks/whatsapp", reaction(f"{word}-1", "👍", sender=number))
    await person.post("/webhooks/whatsapp", reaction(f"{word}-unknown", "👍", sender=number))
    await person.post("/webhooks/whatsapp", delivery(f"{word}-other", "read", number))
    await person.post("/webhooks/whatsapp", {"unknown": word, "from": number.lstrip("+")})
    contact, conversation = entry["contact_id"], entry["conversation_id"]
    await person.patch(f"/contacts/{contact}", {"notes": word, "email": f"{word}@example.com"})
    await person.made(f"/contacts/{contact}/notes", {"text": word})
    await person.patch(f"/conversations/{conversation}", {"tags": [word]})
    once = {"Idempotency-Key": word}
    status, _, _ = await person.call(
        "POST", "/tasks", {"title": word, "conversation_id": conversation, "contact_id": contact}, headers=once
    )
    assert status == 201
    status, _, raw = await person.call(
        "POST", f"/conversations/{conversation}/messages", {"body": word}, headers={"Idempotency-Key": f"{word}2"}
    )
    assert status in {201, 202}, raw
    other = await person.made("/contacts", {"handle": number[:-1] + "9", "name": word})
    assert (await person.post(f"/contacts/{contact}/merge", {"contact_id": other["id"]}))[0] in {200, 204}
    return entry


# What is about the conversation and names nobody, and what the bus could not do about it.
NAMELESS = (
    "update tasks set contact_id = null where user_id = $1 and conversation_id = $2",
    """update ai_events set contact_id = null
        where user_id = $1 and conversation_id = $2 and type = 'conversation.updated'""",
    """insert into event_retries (consumer, number, user_id, next_at, error)
       select 'nobody', number, user_id, now() + interval '1 day', payload::text from ai_events
        where user_id = $1 and conversation_id = $2 and type = 'conversation.updated'""",
)


async def test_an_erased_contact_leaves_no_trace_and_stays_away(ana, root, eventually, log):
    await ana.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
    entry = await plant(ana, WORD, NUMBER)
    assert await eventually(lambda: ana.notifications(type="rule_match"))
    for statement in NAMELESS:
        assert not (await root.execute(statement, ana.id, entry["conversation_id"])).endswith(" 0")
    assert len(await places_of(root, WORD)) > 8
    assert (await ana.delete(f"/contacts/{entry['contact_id']}"))[0] == 204
    assert await places_of(root, WORD, DIGITS, "987650009") == set()

    # The same again, and what is told of it, stay erased.
    again = await ana.hears(f"desconto {WORD}", NUMBER, id=f"{WORD}-1", name=f"Marina {WORD}")
    assert (again["duplicate"], again["message_id"], again["contact_id"]) == (True, None, None)
    await ana.post("/webhooks/whatsapp", reaction(f"{WORD}-1", "👍", sender=NUMBER))
    await ana.post("/webhooks/whatsapp", edit(f"{WORD}-1", f"edited {WORD}", sender=NUMBER))
    table = f"name,handle,channel_type\r\n{WORD},{NUMBER},whatsapp\r\n".encode()
    status, report = await ana.post("/contacts/import", data=table, headers=CSV)
    assert (status, report["refused"], report["rows"][0]["errors"][0]["code"]) == (200, 1, "erased")
    assert await places_of(root, WORD, DIGITS) == set()

    # A new message from that person makes a new contact, whom an import may then name.
    new = await ana.hears("Oi de novo", NUMBER, id="another")
    assert not new["duplicate"]
    assert new["contact_id"] not in {None, entry["contact_id"]}
    status, report = await ana.post("/contacts/import", data=table, headers=CSV)
    assert (status, report["updated"]) == (200, 1)
    assert '"received":1' in str(log)
    assert WORD not in str(log)


async def test_what_one_has_erased_another_still_gets(ana, bruno):
    entry = await ana.hears("Oi", NUMBER, id="shared-id")
    await ana.delete(f"/contacts/{entry['contact_id']}")
    assert not (await bruno.hears("Oi", NUMBER, id="shared-id"))["duplicate"]


async def test_an_erased_account_leaves_no_trace(http, address, root):
    word = "fagotemolhado"
    person = await Person.sign_up(http, address, word)
    await Person(http, address).post("/auth/login", {"email": person.email, "password": "wrong"})
    await plant(person, word, "+5511987660001")
    await person.made("/rules", {"name": word, "text": f"Se a mensagem contém '{word}', me avise"})
    await person.made("/tokens", {"name": word})
    await root.execute(
        "insert into event_retries (consumer, number, user_id, next_at, error) values ('x', -9, $1, now(), $2)",
        person.id, word,
    )  # fmt: skip
    assert (await person.delete("/me", {"password": "a good password"}))[0] == 204
    assert await places_of(root, word, "98766000", person.id) == set()


NEWEST = "select from messages where user_id = $1 order by message_id desc limit 1 for update"
CHANNEL = "select from channels where user_id = $1 for update"


@pytest.mark.parametrize(("what", "held", "left"), [("account", NEWEST, 2), ("channel", CHANNEL, 0)])
async def test_a_long_history_goes_by_portions(http, address, root, monkeypatch, what, held, left):
    monkeypatch.setattr(erasure, "HISTORY", 4)
    monkeypatch.setattr("alfred.db.LOCK_MILLISECONDS", 200)
    person = await Person.sign_up(http, address, "archivist")
    for number in range(10):
        await person.hears(f"Mensagem {number}")
    (channel,) = (await person.get("/channels"))[1]["items"]
    call = ("/me", {"password": "a good password"}) if what == "account" else (f"/channels/{channel['id']}",)
    messages = "select count(*) from messages where user_id = $1"
    async with root.transaction():
        await root.execute(held, person.id)
        status, problem = await person.delete(*call)
        assert (status, problem["code"]) == (503, "busy")
        assert await root.fetchval(messages, person.id) == left, "what could go is gone"
    assert (await person.delete(*call))[0] == 204
    assert await root.fetchval(messages, person.id) == 0


@pytest.mark.parametrize("text", ["SAIR", "sair", " Parar. ", "STOP!", "baja", "Bája"])
async def test_a_whole_message_that_says_stop_is_heard(ana, text):
    entry = await ana.hears(text)
    contact = (await ana.get(f"/contacts/{entry['contact_id']}"))[1]
    assert contact["opted_out_at"] is not None
    assert [each["type"] for each in await ana.events("contact.updated")] == ["contact.updated"]
    (status, page) = await ana.get("/contacts", opted_out=True)
    assert (status, len(page["items"])) == (200, 1)
    await ana.patch(f"/contacts/{entry['contact_id']}", {"opted_out_at": None})
    await ana.hears("vou sair agora")
    assert (await ana.get(f"/contacts/{entry['contact_id']}"))[1]["opted_out_at"] is None


async def test_a_rule_does_not_write_to_who_has_said_stop(ana, eventually):
    rule = {
        "trigger": "message.received",
        "when": {"field": "message.text", "op": "contains", "value": "preço"},
        "then": [{"action": "send_reply", "body": "Já vamos responder."}],
    }
    await ana.made("/rules", {"compiled": rule})
    entry = await ana.hears("SAIR")
    await ana.hears("qual o preço?")
    (match,) = await eventually(lambda: ana.events("rule.matched"))
    assert [action["refused"] for action in match["payload"]["actions"]] == ["recipient_opted_out"]
    assert {each["direction"] for each in await ana.messages(entry["conversation_id"])} == {"inbound"}


async def test_a_token_that_a_token_makes_expires_no_later(ana, http, address):
    soon = datetime.now(UTC) + timedelta(hours=1)
    stolen = await ana.made("/tokens", {"name": "short", "scopes": ["admin"], "expires_at": soon.isoformat()})
    thief = Person(http, address)
    thief.headers["Authorization"] = f"Bearer {stolen['token']}"
    for wanted in (None, (soon + timedelta(days=9)).isoformat()):
        made = await thief.made("/tokens", {"name": "long", "scopes": ["admin"], "expires_at": wanted})
        assert made["expires_at"] == stolen["expires_at"]
    assert (await ana.made("/tokens", {"name": "mine"}))["expires_at"] is None


async def test_each_of_many_messages_stays_erased(ana, root, monkeypatch):
    monkeypatch.setattr("alfred.crm.erasure.PORTION", 2)
    entries = [await ana.hears(f"oi {number}", NUMBER, id=f"many-{number}") for number in range(5)]
    for number in range(5):
        await ana.post("/webhooks/whatsapp", reaction(f"many-{number}", "👍", sender=NUMBER))
    # What names nobody is found by its message alone.
    updates = "select count(*) from message_updates where user_id = $1"
    await root.execute("update message_updates set payload = '{}' where user_id = $1", ana.id)
    assert await root.fetchval(updates, ana.id) == 5
    assert (await ana.delete(f"/contacts/{entries[0]['contact_id']}"))[0] == 204
    assert await root.fetchval(updates, ana.id) == 0
    for number in range(5):
        await ana.hears(f"oi {number}", NUMBER, id=f"many-{number}")
    assert (await ana.get("/messages"))[1]["items"] == []
