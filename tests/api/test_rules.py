"""Rules through HTTP: said in a sentence or given compiled, shown, changed, removed."""

import json

import pytest

from tests.api.rule_bodies import COMPILED, DISCOUNT, MISSING, URGENT, then, when


async def test_a_sentence_becomes_a_rule(ana):
    rule = await ana.made("/rules", {"text": DISCOUNT})
    assert rule == {
        "id": rule["id"],
        "name": DISCOUNT[:60],
        "text": DISCOUNT,
        "compiled": {
            "version": 1,
            "trigger": "message.received",
            "when": {"field": "message.text", "op": "contains", "value": "desconto"},
            "then": [
                {"action": "notify"},
                {"action": "create_task", "title": "Acompanhar a conversa", "due_in": "P1D"},
            ],
        },
        "enabled": True,
        "explanation": rule["explanation"],
        "warnings": [],
        "match_count": 0,
        "last_matched_at": None,
        "created_at": rule["created_at"],
        "updated_at": rule["updated_at"],
    }
    assert "desconto" in rule["explanation"]
    assert await ana.get(f"/rules/{rule['id']}") == (200, rule)


@pytest.mark.parametrize(
    ("text", "condition", "actions"),
    [
        (
            "Se a mensagem for urgente, me avise",
            URGENT,
            [{"action": "notify"}],
        ),
        (
            "If the message is urgent, tag it 'vip' and reply 'We open at 9'",
            URGENT,
            [{"action": "add_tag", "tag": "vip"}, {"action": "send_reply", "body": "We open at 9"}],
        ),
        (
            "Si el cliente pide descuento, avísame y crea una tarea para mañana",
            {"field": "message.text", "op": "contains", "value": "descuento"},
            [{"action": "notify"}, {"action": "create_task", "title": "Dar seguimiento", "due_in": "P1D"}],
        ),
    ],
)
async def test_sentences_of_three_languages(ana, text, condition, actions):
    rule = await ana.made("/rules", {"text": text})
    assert (rule["compiled"]["when"], rule["compiled"]["then"]) == (condition, actions)


@pytest.mark.parametrize(
    ("locale", "explanation"),
    [
        ("pt-BR", "Quando chegar uma mensagem, se a urgência é alta: avisar você."),
        ("en-US", "When a message arrives, if the urgency is high: notify you."),
        ("es-MX", "Cuando llegue un mensaje, si la urgencia es alta: avisarte."),
        ("fr-FR", "When a message arrives, if the urgency is high: notify you."),
    ],
)
async def test_explains_in_the_users_language(ana, locale, explanation):
    await ana.patch("/me", {"locale": locale})
    assert (await ana.made("/rules", {"compiled": COMPILED}))["explanation"] == explanation


@pytest.mark.parametrize(
    ("text", "understood", "not_understood", "beginning"),
    [
        ("Quando o cliente pedir desconto, ligue para ele", ["a mensagem contém “desconto”"], ["ligue para ele"], "Qu"),
        ("Quando o cliente pedir desconto", ["a mensagem contém “desconto”"], [], "Quando"),
        ("Me avise", ["avisar você"], [], "Quando"),
        ("notify me when it rains", ["notify you"], ["it rains"], "When"),
    ],
)
async def test_what_is_not_understood_is_named_with_an_example(ana, text, understood, not_understood, beginning):
    for path in ("/rules", "/rules/compile"):
        status, problem = await ana.post(path, {"text": text})
        assert (status, problem["code"]) == (422, "rule_not_understood")
        assert (problem["understood"], problem["not_understood"]) == (understood, not_understood)
        assert problem["example"].startswith(beginning)
        assert all(words in problem["detail"] for words in not_understood)
        for sentence in (problem["example"], problem["suggestion"]):
            assert (await ana.post("/rules/compile", {"text": sentence}))[0] == 200
    assert (await ana.get("/rules"))[1]["items"] == []


async def test_warns_of_what_it_supposed(ana):
    rule = await ana.made("/rules", {"text": "Se a mensagem mencionar preço e frete, me avise"})
    assert len(rule["warnings"]) == 1
    assert "frete" in rule["warnings"][0]


async def test_a_dry_run_stores_nothing(ana):
    status, answer = await ana.post("/rules/compile", {"text": DISCOUNT})
    assert (status, answer.keys()) == (200, {"compiled", "explanation", "warnings"})
    assert answer["compiled"]["when"]["value"] == "desconto"
    assert (await ana.get("/rules"))[1]["items"] == []


async def test_takes_the_compiled_form_as_it_is(ana):
    compiled = {
        "version": 1,
        "trigger": "conversation.created",
        "when": {
            "all": [
                {"any": [{"not": {"field": "contact.vip", "op": "eq", "value": True}}, URGENT]},
                {"field": "channel.type", "op": "in", "value": ["whatsapp", "email"]},
                {"field": "time.hour", "op": "between", "value": [18, 8]},
                {"field": "conversation.tags", "op": "contains_any", "value": ["a", "b"]},
            ]
        },
        "then": [
            {"action": "notify", "title": "Olhe"},
            {"action": "create_task", "title": "Ligar", "priority": "high", "due_in": "PT2H"},
            {"action": "add_tag", "tag": "novo"},
            {"action": "set_status", "status": "pending"},
            {"action": "send_reply", "body": "Já vamos responder."},
        ],
    }
    rule = await ana.made("/rules", {"name": "Tudo", "compiled": compiled, "enabled": False})
    assert (rule["compiled"], rule["name"], rule["enabled"], rule["text"]) == (compiled, "Tudo", False, None)


@pytest.mark.parametrize(
    ("compiled", "pointer"),
    [
        ("x", ""),
        ([], ""),
        ({}, "/when"),
        (COMPILED | {"version": 2}, "/version"),
        (COMPILED | {"trigger": "moon.full"}, "/trigger"),
        (COMPILED | {"colour": "red"}, "/colour"),
        (when(None), "/when"),
        (when("urgent"), "/when"),
        (when([]), "/when"),
        (when({}), "/when"),
        (when({"op": "eq", "value": 1}), "/when"),
        (when({"all": []}), "/when/all"),
        (when({"any": {}}), "/when/any"),
        (when({"all": [URGENT], "any": [URGENT]}), "/when/any"),
        (when(URGENT | {"case": True}), "/when/case"),
        (when(URGENT | {"field": "message.colour"}), "/when/field"),
        (when(URGENT | {"op": "like"}), "/when/op"),
        (when(URGENT | {"op": "contains"}), "/when/op"),
        (when(URGENT | {"value": "very"}), "/when/value"),
        (when(URGENT | {"value": None}), "/when/value"),
        (when({"field": "message.urgency", "op": "eq"}), "/when/value"),
        (when({"field": "contact.vip", "op": "eq", "value": "perhaps"}), "/when/value"),
        (when({"field": "message.text", "op": "contains", "value": " "}), "/when/value"),
        (when({"field": "message.text", "op": "contains", "value": "x" * 1001}), "/when/value"),
        (when({"field": "message.text", "op": "contains_all", "value": "x"}), "/when/value"),
        (when({"field": "message.text", "op": "contains_all", "value": []}), "/when/value"),
        (when({"field": "conversation.unread_count", "op": "gt", "value": 1.5}), "/when/value"),
        (when({"field": "conversation.unread_count", "op": "between", "value": [5, 1]}), "/when/value"),
        (when({"field": "time.hour", "op": "eq", "value": 24}), "/when/value"),
        (when({"field": "time.weekday", "op": "in", "value": ["someday"]}), "/when/value"),
        (when({"all": [URGENT, {"any": [URGENT, {"not": URGENT | {"op": "gte", "value": 3}}]}]}),
         "/when/all/1/any/1/not/value"),
        (when(json.loads('{"not":' * 25 + json.dumps(URGENT) + "}" * 25)), "/when"),
        (when({"any": [{"all": [URGENT] * 150}, {"all": [URGENT] * 150}]}), "/when"),
        (then(), "/then"),
        (COMPILED | {"then": None}, "/then"),
        (then(*[{"action": "notify"}] * 21), "/then"),
        (then("notify"), "/then/0"),
        (then({"title": "x"}), "/then/0/action"),
        (then({"action": "explode"}), "/then/0/action"),
        (then({"action": "notify", "sound": "loud"}), "/then/0/sound"),
        (then({"action": "notify", "title": ""}), "/then/0/title"),
        (then({"action": "notify", "title": "x" * 201}), "/then/0/title"),
        (then({"action": "create_task"}), "/then/0/title"),
        (then({"action": "notify"}, {"action": "create_task", "title": "x", "priority": "max"}), "/then/1/priority"),
        (then({"action": "create_task", "title": "x", "due_in": "tomorrow"}), "/then/0/due_in"),
        (then({"action": "create_task", "title": "x", "due_in": "P5Y"}), "/then/0/due_in"),
        (then({"action": "create_task", "title": "x", "due_in": "-P1D"}), "/then/0/due_in"),
        (then({"action": "add_tag", "tag": "x" * 51}), "/then/0/tag"),
        (then({"action": "add_tag", "tag": "  "}), "/then/0/tag"),
        (then({"action": "set_status", "status": "gone"}), "/then/0/status"),
        (then({"action": "send_reply", "body": ""}), "/then/0/body"),
        (then({"action": "send_reply", "body": "x" * 65_537}), "/then/0/body"),
        (then({"action": "send_reply", "body": "a\x00b"}), "/then/0/body"),
    ],
)  # fmt: skip
async def test_points_at_what_is_wrong_in_a_compiled_form(ana, compiled, pointer):
    status, problem = await ana.post("/rules", {"compiled": compiled})
    assert (status, problem["errors"][0]["pointer"]) == (422, f"/compiled{pointer}")
    assert (await ana.get("/rules"))[1]["items"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"text": ""}, ""),
        ({"text": "  "}, "/text"),
        ({"text": "x" * 1001}, "/text"),
        ({"text": DISCOUNT, "compiled": COMPILED}, ""),
        ({"text": DISCOUNT, "name": "x" * 201}, "/name"),
        ({"text": DISCOUNT, "enabled": "perhaps"}, "/enabled"),
        ({"text": DISCOUNT, "priority": 1}, "/priority"),
        ({"text": "a\x00b"}, "/text"),
    ],
)
async def test_refuses_a_bad_body(ana, body, pointer):
    status, problem = await ana.post("/rules", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_changes_only_what_is_given(ana):
    rule = await ana.made("/rules", {"text": DISCOUNT})
    path = f"/rules/{rule['id']}"
    status, renamed = await ana.patch(path, {"name": "Desconto", "enabled": "false"})
    assert status == 200
    assert renamed == rule | {"name": "Desconto", "enabled": False, "updated_at": renamed["updated_at"]}

    status, anew = await ana.patch(path, {"text": "Se a mensagem for urgente, me avise"})
    assert (status, anew["compiled"]["when"], anew["name"], anew["enabled"]) == (200, URGENT, "Desconto", False)
    assert "urgência" in anew["explanation"]

    status, compiled = await ana.patch(path, {"compiled": then({"action": "add_tag", "tag": "já"})})
    assert (status, compiled["text"], compiled["compiled"]["then"][0]["tag"]) == (200, None, "já")
    assert "já" in compiled["explanation"]

    assert (await ana.patch(path, {"text": "Me avise"}))[1]["code"] == "rule_not_understood"
    assert (await ana.patch(path, {"text": DISCOUNT, "compiled": COMPILED}))[0] == 422
    assert (await ana.patch(path, {"match_count": 7}))[1]["errors"][0]["pointer"] == "/match_count"
    assert await ana.get(path) == (200, compiled)


async def test_lists_the_newest_first_page_by_page(ana):
    ids = [(await ana.made("/rules", {"compiled": COMPILED, "name": f"{n}"}))["id"] for n in range(5)]
    status, first = await ana.get("/rules", limit=2)
    assert (status, [each["name"] for each in first["items"]], first["has_more"]) == (200, ["4", "3"], True)
    status, second = await ana.get(first["next"])
    status, third = await ana.get("/rules", limit=2, cursor=second["next_cursor"])
    found = [each["id"] for page in (first, second, third) for each in page["items"]]
    assert (found, third["has_more"], third["next"]) == (ids[::-1], False, None)
    assert (await ana.get("/rules", cursor="damaged"))[1]["code"] == "invalid_cursor"
    assert (await ana.get("/rules", enabled="true"))[1]["code"] == "unknown_parameter"


async def test_removes_a_rule_with_its_matches(ana, eventually):
    rule = await ana.made("/rules", {"compiled": COMPILED})
    await ana.hears("Preciso disso hoje, é urgente!")
    await eventually(lambda: ana.notifications(type="rule_match"))
    assert await ana.delete(f"/rules/{rule['id']}") == (204, None)
    assert (await ana.get(f"/rules/{rule['id']}"))[0] == 404
    assert (await ana.delete(f"/rules/{rule['id']}"))[0] == 404


@pytest.mark.parametrize("whose", ["somebody", "nobody", "nothing"])
async def test_another_tenants_rule_is_not_there(ana, bruno, whose):
    theirs = await bruno.made("/rules", {"compiled": COMPILED})
    rule_id = {"somebody": theirs["id"], "nobody": MISSING, "nothing": "not-an-id"}[whose]
    path = f"/rules/{rule_id}"
    answers = [
        await ana.get(path),
        await ana.patch(path, {"name": "mine"}),
        await ana.delete(path),
        await ana.post(f"{path}/test", {"text": "oi"}),
        await ana.post(f"{path}/backtest", {"days": 1}),
    ]
    assert {(status, problem["code"]) for status, problem in answers} == {(404, "not_found")}
    assert (await ana.get("/rules"))[1]["items"] == []
    assert await bruno.get(f"/rules/{theirs['id']}") == (200, theirs)
