"""Who waits for an answer, since when, and how many conversations each filter shows."""

import pytest

from tests.people import delivery

NOON = 1714564800  # 2024-05-01T12:00:00Z


async def waiting(person, conversation_id):
    status, conversation = await person.get(f"/conversations/{conversation_id}")
    assert status == 200
    return conversation["waiting_since"]


async def answer(person, conversation_id, body="Já vejo!", **more):
    return await person.made(f"/conversations/{conversation_id}/messages", {"body": body, **more})


async def test_a_customer_waits_from_the_first_message_on(ana):
    talk = (await ana.hears("oi", at=NOON))["conversation_id"]
    await ana.hears("tudo bem?", at=NOON + 60)
    assert await waiting(ana, talk) == "2024-05-01T12:00:00Z"
    await answer(ana, talk)
    assert await waiting(ana, talk) is None
    late = await ana.hears("cadê?", at=NOON + 120)  # sent before the answer, and came after it
    assert (late["conversation_id"], await waiting(ana, talk)) == (talk, None)


async def test_a_late_message_was_the_first(ana):
    talk = (await ana.hears("alô?", at=NOON + 60))["conversation_id"]
    await ana.hears("oi", at=NOON)
    assert await waiting(ana, talk) == "2024-05-01T12:00:00Z"


async def test_who_writes_again_waits_anew(ana):
    talk = (await ana.hears("oi", at=NOON))["conversation_id"]
    answered = await answer(ana, talk)
    await ana.hears("e o frete?", at=4_000_000_000)  # never later than now
    assert await waiting(ana, talk) > answered["sent_at"]


async def test_nobody_waits_in_a_closed_conversation(ana):
    talk = (await ana.hears("obrigada!", at=NOON))["conversation_id"]
    assert (await ana.patch(f"/conversations/{talk}", {"status": "closed"}))[1]["waiting_since"] is None
    assert (await ana.patch(f"/conversations/{talk}", {"status": "open"}))[1]["waiting_since"] == "2024-05-01T12:00:00Z"
    await ana.patch(f"/conversations/{talk}", {"status": "closed"})
    await ana.hears("mais uma coisa", at=NOON + 60)
    assert await waiting(ana, talk) == "2024-05-01T12:01:00Z"


@pytest.fixture
async def five(ana):
    """Conversations by what they are, with who waits since when."""
    said = {
        "urgent": ("Preciso disso hoje, é urgente", NOON + 10),
        "unhappy": ("Péssimo atendimento, estou muito decepcionada", NOON + 20),
        "haggling": ("Faz um desconto? Qual o menor preço?", NOON + 30),
        "answered": ("oi", NOON + 40),
        "closed": ("tchau", NOON + 50),
    }
    ids = {}
    for number, (name, (text, at)) in enumerate(said.items()):
        entry = await ana.hears(text, f"+551190000020{number}", at=at)
        ids[name] = entry["conversation_id"]
    await answer(ana, ids["answered"])
    await ana.post(f"/conversations/{ids['answered']}/read")
    await ana.patch(f"/conversations/{ids['closed']}", {"status": "closed"})
    return ids


async def names(person, ids, **query):
    by_id = {each: name for name, each in ids.items()}
    return [by_id[each["id"]] for each in await person.conversations(**query)]


async def test_filters_by_who_waits_and_who_haggles(ana, five):
    assert await names(ana, five, needs_reply=True) == ["haggling", "unhappy", "urgent"]
    assert await names(ana, five, needs_reply=False) == ["answered", "closed"]
    assert await names(ana, five, negotiation=True) == ["haggling"]
    assert await names(ana, five, needs_reply=True, negotiation=False) == ["unhappy", "urgent"]


async def test_sorts_by_who_waits_longest(ana, five):
    order = ["urgent", "unhappy", "haggling", "closed", "answered"]
    assert await names(ana, five, sort="waiting") == order
    assert await names(ana, five, sort="waiting", needs_reply=True) == order[:3]
    assert await names(ana, five, sort="newest") == ["answered", "closed", "haggling", "unhappy", "urgent"]
    for limit in (1, 2, 3):
        seen, query = [], {"sort": "waiting", "limit": limit}
        while True:
            _, page = await ana.get("/conversations", **query)
            seen += [each["id"] for each in page["items"]]
            if not page["has_more"]:
                break
            query["cursor"] = page["next_cursor"]
        assert seen == [five[name] for name in order]
    status, problem = await ana.get("/conversations", cursor=query["cursor"])
    assert (status, problem["code"]) == (400, "invalid_cursor")
    assert (await ana.get("/conversations", sort="oldest"))[0] == 422


async def test_counts_what_each_filter_shows(ana, bruno, five):
    filters = {
        "open": {"status": "open"},
        "pending": {"status": "pending"},
        "snoozed": {"status": "snoozed"},
        "closed": {"status": "closed"},
        "unread": {"unread_only": True},
        "urgent": {"urgency": "high"},
        "negative": {"sentiment": "negative"},
        "negotiation": {"negotiation": True},
        "needs_reply": {"needs_reply": True},
    }
    await ana.patch(f"/conversations/{five['haggling']}", {"status": "snoozed"})
    status, counts = await ana.get("/conversations/counts")
    assert (status, counts) == (200, {name: len(await ana.conversations(**query)) for name, query in filters.items()})
    assert [counts[name] for name in ("open", "snoozed", "closed", "unread", "needs_reply")] == [3, 1, 1, 4, 3]
    assert set((await bruno.get("/conversations/counts"))[1].values()) == {0}
    assert (await ana.get("/conversations/counts", status="open"))[1]["code"] == "unknown_parameter"


async def test_an_echo_or_a_status_does_not_make_anybody_wait(ana):
    talk = (await ana.hears("oi", at=NOON))["conversation_id"]
    await answer(ana, talk, external_id="wamid.ours")
    await ana.post("/webhooks/whatsapp", delivery("wamid.ours", "read"))
    assert await waiting(ana, talk) is None


@pytest.mark.parametrize("early", [True, False])
async def test_the_list_tells_whether_the_last_message_failed(ana, early):
    """A status may come before the message that it is of."""
    talk = (await ana.hears("oi", at=NOON))["conversation_id"]

    async def failed():
        (listed,) = await ana.conversations()
        (filtered,) = await ana.conversations(status="open")
        assert listed["last_message_failed"] == filtered["last_message_failed"]
        return listed["last_message_failed"]

    if not early:
        await answer(ana, talk, external_id="wamid.lost")
        assert await failed() is False
    await ana.post("/webhooks/whatsapp", delivery("wamid.lost", "failed"))
    if early:
        await answer(ana, talk, external_id="wamid.lost")
    assert await failed() is True
    await answer(ana, talk, external_id="wamid.next")
    assert await failed() is False
    await ana.post("/webhooks/whatsapp", delivery("wamid.next", "failed"))
    assert await failed() is True
    await ana.hears("cadê?", at=4_000_000_000)
    assert await failed() is False


async def test_what_is_tried_again_has_not_failed(ana):
    talk = (await ana.hears("oi", at=4_000_000_000))["conversation_id"]
    lost = await answer(ana, talk)
    await ana.post(f"/messages/{lost['id']}/outcome", {"status": "failed"})
    assert (await ana.conversations())[0]["last_message_failed"] is True
    assert (await ana.post(f"/messages/{lost['id']}/retry"))[0] == 202
    assert (await ana.conversations())[0]["last_message_failed"] is False
