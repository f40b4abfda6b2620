"""The assistant suggests replies: to the last turn, in the right language and tone, with facts at hand only."""

from datetime import UTC, datetime

import pytest

from tests.api.posts import revoke
from tests.api.suggesting import BEHIND, asked, customer


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


async def test_a_new_message_makes_a_suggestion_stale(ana):
    first = await ana.hears("Qual o preço?", at=1714564800)
    last = await ana.hears("E a entrega?", at=1714564900)
    answer = await asked(ana, "suggest-reply", {"conversation_id": first["conversation_id"]})
    assert answer["based_on_message_id"] == last["message_id"]
