"""Facts: what replies may claim; they fill placeholders, bound prices, and are named by what they were used for."""

import pytest

from tests.api.suggesting import asked, customer


def faults(answer):
    assert answer[0] == 422, answer
    return {fault["pointer"]: fault["code"] for fault in answer[1]["errors"]}


async def test_are_kept_changed_found_and_deleted(ana, bruno):
    hours = await ana.made("/facts", {"kind": "text", "name": "Horário", "text": "Das 9h às 18h.", "tags": ["hours"]})
    chair = await ana.made(
        "/facts",
        {
            "kind": "product",
            "name": "Cadeira Lisboa",
            "aliases": ["poltrona"],
            "price": "450",
            "floor": 400,
            "sku": "CL1",
        },
    )
    assert (chair["price"], chair["floor"], chair["kind"]) == ("450.00", "400.00", "product")
    for query, expected in (
        ({}, [chair, hours]), ({"kind": "text"}, [hours]), ({"tag": "hours"}, [hours]), ({"q": "POLTRONA"}, [chair]),
        ({"q": "cl1"}, [chair]), ({"q": "mesa"}, []),
    ):  # fmt: skip
        status, page = await ana.get("/facts", **query)
        assert (status, page["items"]) == (200, expected), query
    assert await ana.get(f"/facts/{hours['id']}") == (200, hours)
    status, changed = await ana.patch(f"/facts/{chair['id']}", {"price": "430.50", "tags": ["sala"], "sku": None})
    assert (status, changed["price"], changed["floor"], changed["tags"], changed["sku"]) == (
        200, "430.50", "400.00", ["sala"], None,
    )  # fmt: skip
    assert faults(await ana.patch(f"/facts/{chair['id']}", {"price": "399"})) == {"/floor": "too_large"}
    for path in (f"/facts/{chair['id']}",):
        assert (await bruno.get(path))[0] == 404
        assert (await bruno.patch(path, {"name": "x"}))[0] == 404
        assert (await bruno.delete(path))[0] == 404
        assert (await ana.delete(path))[0] == 204
        assert (await ana.get(path))[0] == 404


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"kind": "text", "name": "Horário"}, {"/text": "missing"}),
        ({"kind": "text", "name": "x", "text": "x", "price": 1}, {"/price": "not_allowed"}),
        (
            {"kind": "text", "name": "x", "text": "x", "price": 0, "floor": 0},
            {"/price": "not_allowed", "/floor": "not_allowed"},
        ),
        ({"kind": "product", "name": "x", "price": 1, "floor": 2}, {"/floor": "too_large"}),
        ({"kind": "product", "name": "x", "floor": 2}, {"/floor": "too_large"}),
        ({"kind": "poem", "name": "x"}, {"/kind": "literal_error"}),
        ({"kind": "text", "text": "x"}, {"/name": "missing"}),
        ({"kind": "text", "name": "x", "text": "x" * 501}, {"/text": "string_too_long"}),
    ],
)
async def test_refuses_what_is_no_fact(ana, body, expected):
    assert faults(await ana.post("/facts", body)) == expected


async def test_a_text_answers_what_it_is_about(ana):
    hours = await ana.made(
        "/facts", {"kind": "text", "name": "Horário", "text": "Atendemos das 9h às 18h.", "tags": ["hours"]}
    )
    await ana.made("/facts", {"kind": "text", "name": "Troca", "text": "Trocas em sete dias.", "tags": ["returns"]})
    entry = await customer(ana, "Que horas vocês abrem?")
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert "Atendemos das 9h às 18h." in answer["reply"]
    assert (answer["used"], answer["placeholders"]) == ([hours["id"]], [])
    assert (answer["degraded"], answer["fallback_reason"]) == (False, None)


async def test_what_is_not_known_is_left_to_fill_in(ana):
    entry = await customer(ana, "Qual o prazo de entrega?")
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert answer["placeholders"] == ["prazo"]
    assert "{{prazo}}" in answer["reply"]
    await ana.made(
        "/facts", {"kind": "text", "name": "Entrega", "text": "Entregamos em três dias úteis.", "tags": ["delivery"]}
    )
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert "Entregamos em três dias úteis." in answer["reply"]
    assert answer["placeholders"] == []


async def test_a_product_brings_its_price_and_its_floor(ana):
    chair = await ana.made("/facts", {"kind": "product", "name": "Cadeira Lisboa", "price": "450", "floor": "440"})
    entry = await customer(ana, "Quanto custa a cadeira lisboa?", negotiation_mode="auto")
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert "R$ 450,00" in answer["reply"]
    assert answer["used"] == [chair["id"]]
    price = await asked(
        ana, "suggest-price", {"conversation_id": entry["conversation_id"], "text": "cadeira lisboa por R$ 300?"}
    )
    assert (price["minimum"], price["suggested"], price["maximum"]) == ("440.00", "440.00", "450.00")
    assert price["used"] == [chair["id"]]


@pytest.mark.parametrize("mode", ["suggest", "auto"])
async def test_a_reply_never_names_the_floor_first(ana, mode):
    await ana.made("/facts", {"kind": "product", "name": "Cadeira Lisboa", "price": "450", "floor": "440"})
    entry = await customer(ana, "Oi", negotiation_mode=mode)
    for text, told in (
        ("Tem desconto? Faz a cadeira lisboa por R$ 300?", False),
        ("Desconto na cadeira lisboa: faz por R$ 440?", mode == "auto"),
    ):
        entry = await ana.hears(text, sender=entry["sender"]["handle"])
        answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
        assert ("440" in answer["reply"]) == told, answer["reply"]


async def test_a_quantity_is_no_offer(ana):
    entry = await customer(ana, "Qual o preço de 4 cadeiras?", base_price="100")
    answer = await asked(ana, "suggest-price", {"conversation_id": entry["conversation_id"]})
    assert "4,00" not in answer["rationale"]
    assert answer["suggested"] == "100.00"


@pytest.mark.parametrize(
    ("locale", "words"), [("pt-BR", "O cliente"), ("en-US", "The customer"), ("es-MX", "El cliente")]
)
async def test_reasons_are_told_in_the_users_language(ana, locale, words):
    await ana.patch("/me", {"locale": locale})
    entry = await customer(ana, "How much is it?")
    answer = await asked(ana, "suggest-reply", {"conversation_id": entry["conversation_id"]})
    assert answer["rationale"].startswith(words)
    follow_up = await asked(ana, "suggest-follow-up", {"conversation_id": entry["conversation_id"]})
    assert not any(code in follow_up["rationale"] for code in ("local time", "negotiation,"))


@pytest.mark.parametrize(
    ("text", "warned"), [("o carregador pegou fogo!", True), ("cadê meu pedido?! é pra hoje!!", False)]
)
async def test_only_a_danger_brings_a_word_on_safety(ana, text, warned):
    answer = await asked(ana, "suggest-reply", {"text": text})
    assert ("risco" in answer["reply"]) == warned, answer["reply"]
