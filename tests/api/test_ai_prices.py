"""The assistant suggests prices, within what a contact's settings allow."""

from decimal import Decimal

import pytest

from tests.api.suggesting import BEHIND, asked, customer


async def price(person, entry, **more):
    answer = await asked(person, "suggest-price", {"conversation_id": entry["conversation_id"], **more})
    return [answer[name] for name in ("minimum", "suggested", "maximum", "currency")]


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
