"""The assistant through HTTP: readings, replies, prices, follow-ups; nothing is sent by itself."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.api.posts import revoke

MISSING = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
CLASSIFICATION = {
    "sentiment", "sentiment_score", "urgency", "negotiation", "should_create_task", "intent", "language",
    "confidence", "provider",
}  # fmt: skip
BEHIND = {"id", "based_on_message_id", "degraded", "fallback_reason", "used", "placeholders"}


async def asked(person, what, body):
    status, answer = await person.post(f"/ai/{what}", body)
    assert status == 200, answer
    return answer


async def customer(person, text="Qual o preço?", sender="+5511900000012", **settings):
    """A conversation with somebody whose settings are these; the webhook's entry."""
    entry = await person.hears(text, sender=sender)
    if settings:
        status, answer = await person.patch(f"/contacts/{entry['contact_id']}/settings", settings)
        assert status == 200, answer
    return entry


async def price(person, entry, **more):
    answer = await asked(person, "suggest-price", {"conversation_id": entry["conversation_id"], **more})
    return [answer[name] for name in ("minimum", "suggested", "maximum", "currency")]


# Reading


async def test_reads_a_message(ana):
    answer = await asked(ana, "classify-message", {"text": "Cadê meu pedido? Preciso hoje!"})
    assert answer.keys() == CLASSIFICATION | {"signals"}
    assert answer == answer | {
        "sentiment": "negative",
        "urgency": "high",
        "negotiation": False,
        "should_create_task": True,
        "language": "pt",
        "provider": "mock",
    }
    assert -1 <= answer["sentiment_score"] < 0
    assert 0 <= answer["confidence"] <= 1
    assert answer["signals"]
    assert all(each.keys() == {"label", "rule", "span"} for each in answer["signals"])


async def test_reads_as_a_webhook_does(ana):
    text = "Me faz um desconto? Pago hoje"
    entry = await ana.hears(text)
    answer = await asked(ana, "classify-message", {"text": text})
    assert {name: answer[name] for name in CLASSIFICATION} == entry["classification"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Bom dia, vocês entregam amanhã?", "pt"),
        ("Good morning, do you deliver tomorrow?", "en"),
        ("Buenos días, ¿entregan mañana?", "es"),
    ],
)
async def test_tells_the_language(ana, text, language):
    assert (await asked(ana, "classify-message", {"text": text}))["language"] == language


@pytest.mark.parametrize("text", ["", "   ", "😀", "?", "\u200b", "1234567890", "x" * 65_536, "preço " * 10_000])
async def test_reads_anything(ana, text):
    answer = await asked(ana, "classify-message", {"text": text})
    assert answer.keys() == CLASSIFICATION | {"signals"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": None}, "/text"),
        ({"text": ["x"]}, "/text"),
        ({"text": "x" * 65_537}, "/text"),
        ({"text": "a\x00b"}, "/text"),
        ({"text": "\ud800"}, "/text"),
        ({"text": "x", "language": "klingon"}, "/language"),
        ({"text": "x", "colour": "red"}, "/colour"),
    ],
)
async def test_refuses_what_is_no_message(ana, body, pointer):
    status, problem = await ana.post("/ai/classify-message", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


# Replying


async def test_suggests_a_reply_to_the_last_turn(ana):
    entry = await customer(ana, "Bom dia! Qual o prazo de entrega?")
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert answer.keys() == {"reply", "tone", "language", "rationale", "provider"} | BEHIND
    assert (answer["tone"], answer["language"], answer["provider"]) == ("neutral", "pt", "mock")
    assert answer["based_on_message_id"] == entry["message_id"]
    assert "Marina" in answer["reply"]
    assert answer["rationale"]
    assert len(answer["reply"]) <= 600
    again = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert again["reply"] == answer["reply"]


async def test_what_the_customer_deleted_is_not_answered(ana):
    asks, takes_back = {"text": "Qual o prazo de entrega?"}, {"text": "Faz por 10 reais?"}
    alone = await ana.hears(**asks, sender="+5511900000031")
    expected = await asked(ana, "suggest-reply", {"conversation_id": alone["conversation_id"]})
    for number, turn in enumerate([(asks, takes_back), (takes_back, asks)]):
        sender = f"+551190000003{number + 2}"
        entries = [
            await ana.hears(**each, sender=sender, id=f"{sender}{at}", at=1714564800 + at)
            for at, each in enumerate(turn)
        ]
        await ana.post("/webhooks/whatsapp", revoke(f"{sender}{turn.index(takes_back)}", sender=sender))
        answer = await asked(ana, "suggest-reply", {"conversation_id": entries[0]["conversation_id"]})
        assert answer["rationale"] == expected["rationale"]
        assert answer["based_on_message_id"] == entries[turn.index(asks)]["message_id"]


async def test_what_the_customer_deleted_opens_no_new_turn(ana):
    now = int(datetime.now(UTC).timestamp())
    entry = await ana.hears("Qual o prazo de entrega?", id="asked", at=now - 60)
    await ana.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Um momento."})
    await ana.hears("Faz por 10 reais?", id="deleted", at=now + 60)
    await ana.post("/webhooks/whatsapp", revoke("deleted"))
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert answer["based_on_message_id"] == entry["message_id"]


@pytest.mark.parametrize("tone", ["formal", "neutral", "friendly", "casual"])
async def test_speaks_in_the_contacts_tone_unless_asked_otherwise(ana, tone):
    entry = await customer(ana, preferred_tone=tone)
    where = {"conversation_id": entry["conversation_id"]}
    preferred = await asked(ana, "suggest-reply", where)
    assert preferred["tone"] == tone
    for other in ("formal", "casual"):
        assert (await asked(ana, "suggest-reply", where | {"tone": other}))["tone"] == other
    assert (await asked(ana, "suggest-reply", where | {"tone": "", "language": ""}))["reply"] == preferred["reply"]


async def test_tones_differ(ana):
    replies = {
        tone: (await asked(ana, "suggest-reply", {"text": "Qual o preço?", "tone": tone}))["reply"]
        for tone in ("formal", "neutral", "friendly", "casual")
    }
    assert len(set(replies.values())) >= 3


@pytest.mark.parametrize(
    ("text", "asks", "language"),
    [
        ("How much is the blue one?", {}, "en"),
        ("¿Cuánto cuesta el azul?", {}, "es"),
        ("Quanto custa o azul?", {}, "pt"),
        ("Quanto custa o azul?", {"language": "en"}, "en"),
        ("Quanto custa o azul?", {"language": "pt-BR"}, "pt"),
    ],
)
async def test_speaks_the_customers_language(ana, text, asks, language):
    assert (await asked(ana, "suggest-reply", {"text": text, **asks}))["language"] == language
    entry = await customer(ana, text)
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"], **asks})
    assert answer["language"] == language


async def test_where_a_word_tells_nothing_the_conversation_tells_the_language(ana):
    entry = await ana.hears("How much is the blue one?")
    await ana.post(f"/conversations/{entry['conversation_id']}/messages", {"body": "20 dollars"})
    await ana.hears("ok", at=int(datetime.now(UTC).timestamp()) + 60)
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert answer["language"] == "en"


async def test_a_word_that_tells_nothing_does_not_tell_the_language_of_a_conversation(ana):
    entry = await ana.hears("ok")
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert answer["language"] == "pt"


async def test_a_text_goes_before_the_last_turn(ana):
    entry = await customer(ana, "How much is it?")
    answer = await asked(
        ana, "suggest-reply", {"conversation_id": entry["conversation_id"], "text": "¿Cuánto cuesta el envío?"}
    )
    assert (answer["language"], answer["based_on_message_id"]) == ("es", None)
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"], "text": "ok"})
    assert answer["language"] == "en"


async def test_claims_only_facts_at_hand(ana):
    entry = await customer(ana, "Quanto custa?")
    unknown = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert "{{" in unknown["reply"]
    assert "R$" not in unknown["reply"]
    await ana.patch(f"/contacts/{entry['contact_id']}/settings", {"base_price": "1200.5"})
    known = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert "R$ 1.200,50" in known["reply"]


async def test_promises_no_discount_where_none_is_allowed(ana):
    entry = await customer(ana, "Faz por 80?", base_price="100", negotiation_enabled=False)
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    amounts = [word for word in answer["reply"].split() if word[0].isdigit()]
    assert all(word.startswith("100") for word in amounts), answer["reply"]


async def test_a_conversation_without_a_message_gets_a_greeting(ana):
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja", "external_account_id": "1"})
    contact = await ana.made("/contacts", {"name": "Rui", "handle": "+5511900000077", "channel_type": "whatsapp"})
    talk = await ana.made("/conversations", {"contact_id": contact["id"], "channel_id": channel["id"]})
    for what in ("suggest-reply", "suggest-follow-up"):
        answer = await asked(ana, what, {"conversation_id": talk["id"]})
        assert answer["based_on_message_id"] is None


# Pricing


async def test_suggests_a_price(ana):
    entry = await customer(ana, "Faz por 95?", base_price=100)
    answer = await asked(ana, "suggest-price", {"conversation_id": entry["conversation_id"]})
    assert answer.keys() == {"minimum", "suggested", "maximum", "currency", "rationale", "provider"} | BEHIND
    assert (answer["maximum"], answer["currency"], answer["provider"]) == ("100.00", "BRL", "mock")
    low, middle, high = (Decimal(answer[name]) for name in ("minimum", "suggested", "maximum"))
    assert low <= middle <= high
    assert answer["based_on_message_id"] == entry["message_id"]
    assert "100,00" in answer["rationale"]
    assert "95,00" in answer["rationale"]

    by_contact = await asked(ana, "suggest-price", {"contact_id": entry["contact_id"], "text": "Faz por 95?"})
    assert {name: by_contact[name] for name in ("minimum", "suggested", "maximum")} == {
        name: answer[name] for name in ("minimum", "suggested", "maximum")
    }
    both = {"conversation_id": entry["conversation_id"], "contact_id": entry["contact_id"]}
    assert (await asked(ana, "suggest-price", both))["suggested"] == answer["suggested"]


@pytest.mark.parametrize("settings", [{"negotiation_enabled": False}, {"negotiation_mode": "off"}])
async def test_without_negotiation_the_price_is_fixed(ana, settings):
    entry = await customer(ana, "Faz por 80? Levo 50 peças", base_price="100", vip=True, **settings)
    assert await price(ana, entry) == ["100.00", "100.00", "100.00", "BRL"]


async def test_the_contacts_own_price_goes_before_the_base_price(ana):
    entry = await customer(ana, base_price="100", custom_price="90.5", negotiation_mode="off")
    assert await price(ana, entry) == ["90.50", "90.50", "90.50", "BRL"]
    await ana.patch(f"/contacts/{entry['contact_id']}/settings", {"base_price": None})
    assert await price(ana, entry) == ["90.50", "90.50", "90.50", "BRL"]


async def test_a_vip_may_pay_less(ana):
    plain = await customer(ana, "Tem desconto?", base_price="100")
    vip = await customer(ana, "Tem desconto?", sender="+5511900000013", base_price="100", vip=True)
    ordinary, favoured = await price(ana, plain), await price(ana, vip)
    assert Decimal(favoured[0]) < Decimal(ordinary[0])
    assert ordinary[2] == favoured[2] == "100.00"


async def test_never_goes_under_the_floor(ana):
    entry = await customer(ana, "Faz por 1 real?", base_price="100", negotiation_mode="auto")
    minimum, suggested, _, _ = await price(ana, entry)
    assert suggested == minimum
    assert Decimal(minimum) > 50
    taken = await price(ana, entry, text="Faz por 97?")
    assert taken[1] == "97.00"


@pytest.mark.parametrize(
    ("profile", "settings", "currency"),
    [({}, {}, "BRL"), ({"currency": "EUR"}, {}, "EUR"), ({"currency": "EUR"}, {"currency": "usd"}, "USD")],
)
async def test_the_currency_is_the_contacts_or_the_users(ana, profile, settings, currency):
    await ana.patch("/me", profile)
    entry = await customer(ana, base_price="100", **settings)
    assert (await price(ana, entry))[3] == currency


async def test_without_a_price_none_is_suggested(ana):
    entry = await customer(ana, "Faz por 80?", custom_price=None)
    for body in ({"conversation_id": entry["conversation_id"]}, {"contact_id": entry["contact_id"]}):
        status, problem = await ana.post("/ai/suggest-price", body)
        assert (status, problem["code"]) == (422, "no_base_price")
    assert (await ana.get("/ai/suggestions/stats"))[1]["items"] == []


async def test_a_price_of_nothing_is_a_price(ana):
    entry = await customer(ana, base_price="0")
    assert await price(ana, entry) == ["0.00", "0.00", "0.00", "BRL"]


async def test_prices_only_the_conversations_own_contact(ana):
    entry = await customer(ana, base_price="100")
    other = await customer(ana, sender="+5511900000013", base_price="100")
    body = {"conversation_id": entry["conversation_id"], "contact_id": other["contact_id"]}
    status, problem = await ana.post("/ai/suggest-price", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/contact_id"])


# Following up


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Tokyo", "Europe/Lisbon"])
async def test_suggests_when_to_come_back(ana, zone):
    await ana.patch("/me", {"timezone": zone})
    entry = await ana.hears("Vou pensar e te falo")
    answer = await asked(ana, "suggest-follow-up", {"conversation_id": entry["conversation_id"]})
    assert answer.keys() == {"due_date", "title", "message", "rationale", "provider"} | BEHIND
    due = datetime.fromisoformat(answer["due_date"])
    assert due > datetime.now(UTC)
    assert 8 <= due.astimezone(ZoneInfo(zone)).hour < 20
    assert "Marina" in answer["title"] + answer["message"]
    assert answer["based_on_message_id"] == entry["message_id"]
    assert answer["due_date"].endswith("Z")


async def test_the_suggestion_makes_a_task(ana):
    entry = await customer(ana)
    answer = await asked(ana, "suggest-follow-up", {"conversation_id": entry["conversation_id"]})
    task = await ana.made("/tasks", {"title": answer["title"], "due_date": answer["due_date"]})
    assert task["due_date"] == answer["due_date"]


# What all of them have in common


@pytest.mark.parametrize(
    ("what", "body", "pointer"),
    [
        ("suggest-reply", {}, ""),
        ("suggest-reply", {"text": ""}, ""),
        ("suggest-reply", {"conversation_id": "", "text": ""}, ""),
        ("suggest-reply", {"conversation_id": MISSING}, "/conversation_id"),
        ("suggest-reply", {"conversation_id": MISSING, "text": "oi"}, "/conversation_id"),
        ("suggest-reply", {"conversation_id": "x"}, "/conversation_id"),
        ("suggest-reply", {"text": "oi", "tone": "rude"}, "/tone"),
        ("suggest-reply", {"text": "oi", "language": "fr"}, "/language"),
        ("suggest-reply", {"text": "x" * 65_537}, "/text"),
        ("suggest-reply", {"text": "oi", "mood": "good"}, "/mood"),
        ("suggest-price", {}, ""),
        ("suggest-price", {"text": "Faz por 80?"}, ""),
        ("suggest-price", {"conversation_id": MISSING}, "/conversation_id"),
        ("suggest-price", {"contact_id": MISSING}, "/contact_id"),
        ("suggest-price", {"contact_id": "x"}, "/contact_id"),
        ("suggest-follow-up", {}, "/conversation_id"),
        ("suggest-follow-up", {"conversation_id": ""}, "/conversation_id"),
        ("suggest-follow-up", {"conversation_id": MISSING}, "/conversation_id"),
    ],
)
async def test_points_at_what_is_wrong(ana, what, body, pointer):
    status, problem = await ana.post(f"/ai/{what}", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_another_tenants_conversation_is_not_there(ana, bruno):
    theirs = await customer(bruno, base_price="100")
    for what in ("suggest-reply", "suggest-price", "suggest-follow-up"):
        status, problem = await ana.post(f"/ai/{what}", {"conversation_id": theirs["conversation_id"]})
        assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/conversation_id"])
        nobody = await ana.post(f"/ai/{what}", {"conversation_id": MISSING})
        assert nobody[1]["errors"] == problem["errors"]
    status, problem = await ana.post("/ai/suggest-price", {"contact_id": theirs["contact_id"]})
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/contact_id"])


async def test_nothing_is_sent_or_changed(ana):
    entry = await customer(ana, base_price="100")
    where = {"conversation_id": entry["conversation_id"]}
    before = await ana.events(), await ana.get(f"/conversations/{entry['conversation_id']}")
    await asked(ana, "classify-message", {"text": "Faz por 80?"})
    for what in ("suggest-reply", "suggest-price", "suggest-follow-up"):
        await asked(ana, what, where)
    assert (await ana.events(), await ana.get(f"/conversations/{entry['conversation_id']}")) == before
    assert [each["direction"] for each in await ana.messages(entry["conversation_id"])] == ["inbound"]
    assert (await ana.get("/tasks"))[1]["items"] == []


async def test_a_new_message_makes_a_suggestion_stale(ana):
    first = await ana.hears("Qual o preço?", at=1714564800)
    last = await ana.hears("E a entrega?", at=1714564900)
    answer = await asked(ana, "suggest-reply", {"conversation_id": first["conversation_id"]})
    assert answer["based_on_message_id"] == last["message_id"]


async def test_very_long_texts_are_answered(ana):
    entry = await customer(ana, "Quanto custa? " * 4000, base_price="100")
    for what in ("suggest-reply", "suggest-price", "suggest-follow-up"):
        answer = await asked(ana, what, {"conversation_id": entry["conversation_id"]})
        assert all(len(str(value)) <= 600 for value in answer.values())


# What became of them


async def test_counts_what_became_of_suggestions(ana, bruno):
    entry = await customer(ana, base_price="100")
    where = {"conversation_id": entry["conversation_id"]}
    replies = [await asked(ana, "suggest-reply", where) for _ in range(4)]
    await asked(ana, "suggest-price", where)
    for reply, outcome in zip(replies, ("sent", "edited", "dismissed"), strict=False):
        status, taken = await ana.post(f"/ai/suggestions/{reply['id']}/feedback", {"outcome": outcome})
        assert (status, taken) == (
            200,
            {"id": reply["id"], "kind": "reply", "outcome": outcome, "outcome_at": taken["outcome_at"]},
        )
    status, stats = await ana.get("/ai/suggestions/stats")
    nothing = {"sent": 0, "edited": 0, "dismissed": 0}
    assert (status, stats["items"]) == (
        200,
        [
            {"kind": "price", "suggested": 1, **nothing, "acceptance": None},
            {"kind": "reply", "suggested": 4, "sent": 1, "edited": 1, "dismissed": 1, "acceptance": 0.6667},
        ],
    )
    await ana.post(f"/ai/suggestions/{replies[2]['id']}/feedback", {"outcome": "sent"})
    _, stats = await ana.get("/ai/suggestions/stats")
    assert (stats["items"][1]["dismissed"], stats["items"][1]["acceptance"]) == (0, 1.0)
    assert (await bruno.get("/ai/suggestions/stats"))[1]["items"] == []


@pytest.mark.parametrize("whose", ["somebody", "nobody", "nothing"])
async def test_another_tenants_suggestion_is_not_there(ana, bruno, whose):
    theirs = await asked(bruno, "suggest-reply", {"text": "oi"})
    suggestion_id = {"somebody": theirs["id"], "nobody": MISSING, "nothing": "not-an-id"}[whose]
    status, problem = await ana.post(f"/ai/suggestions/{suggestion_id}/feedback", {"outcome": "sent"})
    assert (status, problem["code"]) == (404, "not_found")
    assert (await bruno.get("/ai/suggestions/stats"))[1]["items"][0]["sent"] == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/outcome"), ({"outcome": "loved"}, "/outcome"), ({"outcome": "sent", "stars": 5}, "/stars")],
)
async def test_refuses_an_outcome_that_is_none(ana, body, pointer):
    suggestion = await asked(ana, "suggest-reply", {"text": "oi"})
    status, problem = await ana.post(f"/ai/suggestions/{suggestion['id']}/feedback", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])
