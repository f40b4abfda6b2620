"""What one tenant may have of each kind is bounded, and what is refused says so."""

import contextlib

import pytest

from alfred.quotas import QUOTAS
from tests.conftest import serving
from tests.people import Person, delivery

# What makes one more of each kind that is refused, and the path that frees one.
REFUSED = {
    "tokens": ("/tokens", {"name": "n8n"}),
    "rules": ("/rules", {"text": "Se a mensagem contém 'desconto', me avise"}),
    "flows": ("/flows", {"name": "Fluxo", "definition": {"start": "a", "nodes": []}}),
    "channels": ("/channels", {"type": "whatsapp", "name": "Loja"}),
    "facts": ("/facts", {"kind": "text", "name": "Horário", "text": "Abrimos às 9."}),
    "subscriptions": ("/subscriptions", {"url": "https://example.com/hooks/alfred"}),
}
# Tried where they are made.
ELSEWHERE = {"connections"}
# What makes the sum of a kind larger, with so many words.
SIZED = {
    "rules_size": ("/rules", lambda words: {"name": "x", "compiled": {
        "when": {"field": "message.text", "op": "contains_any", "value": [f"w{n}" for n in range(words)]},
        "then": [{"action": "notify"}]}}),
    "flows_size": ("/flows", lambda words: {"name": "x", "definition": {"start": "a", "nodes": ["x"] * words}}),
}  # fmt: skip
# Where waiting helps: 429.
PACED = {"tickets", "streams", "notification_streams"}
# What a messenger would only repeat is not refused.
BOUNDED = {"rejected_posts", "rejected_bytes", "unknown_statuses"}


def test_every_quota_is_tried_here():
    assert {*REFUSED, *SIZED, *PACED, *BOUNDED, *ELSEWHERE} == set(QUOTAS)


@pytest.mark.parametrize("kind", REFUSED)
async def test_one_too_many_is_refused_until_there_is_room(ana, bruno, monkeypatch, kind):
    path, body = REFUSED[kind]
    monkeypatch.setitem(QUOTAS, kind, 2)
    made = [await ana.made(path, body) for _ in range(2)]
    status, problem = await ana.post(path, body)
    assert (status, problem["code"]) == (409, f"too_many_{kind}")
    assert problem["detail"].startswith(f"There are 2 {kind} already")
    await bruno.made(path, body)  # it is her quota, nobody else's
    assert (await ana.delete(f"{path}/{made[0]['id']}"))[0] == 204
    await ana.made(path, body)


@pytest.mark.parametrize("kind", SIZED)
async def test_all_of_a_kind_are_bounded_in_size(ana, bruno, monkeypatch, kind):
    path, body = SIZED[kind]
    monkeypatch.setitem(QUOTAS, kind, 3_000)
    made = [await ana.made(path, body(words)) for words in (1, 20)]
    for status, problem in (
        await ana.post(path, body(40)),
        await ana.patch(f"{path}/{made[0]['id']}", body(40)),
    ):
        assert (status, problem["code"]) == (409, kind.replace("_size", "_too_large"))
    assert [each["id"] for each in (await ana.get(path))[1]["items"]] == [each["id"] for each in reversed(made)]
    await bruno.made(path, body(20))
    monkeypatch.setitem(QUOTAS, kind, 100)  # of an earlier version: what is there can be changed, and made smaller
    assert (await ana.patch(f"{path}/{made[1]['id']}", body(10)))[0] == 200
    assert (await ana.patch(f"{path}/{made[1]['id']}", body(11)))[0] == 409


@pytest.mark.parametrize(("kind", "noun"), [("streams", "events"), ("notification_streams", "notifications")])
async def test_so_many_streams_are_open_at_once(ana, bruno, monkeypatch, kind, noun):
    monkeypatch.setitem(QUOTAS, kind, 2)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(ana._stream(noun))
        status, problem = await ana.get(f"/{noun}/stream")
        assert (status, problem["code"]) == (429, "too_many_streams")
        await stack.enter_async_context(bruno._stream(noun))


async def test_so_many_tickets_are_made_in_a_minute(cluster, database, http, monkeypatch):
    """A process counts them."""
    monkeypatch.setitem(QUOTAS, "tickets", 3)
    async with serving(cluster.logins(database)) as address:
        ana, bruno = [await Person.sign_up(http, address, who) for who in ("Ana", "Bruno")]
        for _ in range(3):
            await ana.made("/events/stream-ticket", None)
        status, headers, raw = await ana.call("POST", "/events/stream-ticket")
        assert (status, b"too_many_tickets" in raw) == (429, True)
        assert int(headers["Retry-After"]) >= 1
        await bruno.made("/events/stream-ticket", None)


async def test_rejected_posts_are_kept_up_to_some_bytes(ana, monkeypatch):
    monkeypatch.setitem(QUOTAS, "rejected_bytes", 1000)
    for number in range(5):
        await ana.post("/webhooks/whatsapp", {"unknown": "x" * 400, "number": number})
    _, page = await ana.get("/webhooks/rejected")
    assert [f'"number": {number}' in each["body"] for number, each in zip((4, 3), page["items"], strict=True)] == [
        True
    ] * 2
    await ana.post("/webhooks/whatsapp", {"unknown": "x" * 4000})
    _, page = await ana.get("/webhooks/rejected")
    assert len(page["items"]) == 1  # the newest is kept, however large


async def test_rejected_posts_are_kept_up_to_a_number(ana, monkeypatch):
    monkeypatch.setitem(QUOTAS, "rejected_posts", 2)
    for number in range(3):
        await ana.post("/webhooks/whatsapp", {"unknown": number})
    assert len((await ana.get("/webhooks/rejected"))[1]["items"]) == 2


async def test_statuses_of_unknown_messages_are_kept_up_to_a_number(ana, owner_db, monkeypatch):
    """Those that come first: the message may come late. Of messages that are there nothing is left out."""
    monkeypatch.setitem(QUOTAS, "unknown_statuses", 3)

    async def kept():
        async with owner_db.transaction():
            await owner_db.execute("select app.act_as($1)", ana.id)
            rows = await owner_db.fetch("select external_id from message_updates where user_id = $1", ana.id)
        return [row["external_id"] for row in rows]

    for number in range(5):
        status, _ = await ana.post("/webhooks/whatsapp", delivery(f"nobody-{number}", "read"))
        assert status == 200
    assert sorted(await kept()) == ["nobody-0", "nobody-1", "nobody-2"]
    entry = await ana.hears("Oi")
    sent = await ana.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Olá", "external_id": "mine"})
    await ana.post("/webhooks/whatsapp", delivery("mine", "read"))
    messages = await ana.messages(entry["conversation_id"])
    assert [each["status"] for each in messages if each["id"] == sent["id"]] == ["read"]
    assert len(await kept()) == 4
