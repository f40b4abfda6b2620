"""Contacts: people, known by their channel identities."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

SETTINGS = {
    "negotiation_enabled": True,
    "negotiation_mode": "suggest",
    "base_price": None,
    "custom_price": None,
    "currency": "BRL",
    "vip": False,
    "preferred_tone": "neutral",
}


async def contacts(person, **query):
    status, page = await person.get("/contacts", **query)
    assert status == 200, page
    return page["items"]


async def test_adds_and_shows_a_contact(ana):
    body = {"name": "Nadia", "handle": "+5511900000077", "email": "n@example.com", "notes": "gosta de azul"}
    contact = await ana.made("/contacts", body)
    assert contact == {
        "id": contact["id"],
        "name": "Nadia",
        "handle": "+5511900000077",
        "channel_type": "whatsapp",
        "email": "n@example.com",
        "phone": None,
        "notes": "gosta de azul",
        "identities": [{"channel_type": "whatsapp", "value": "+5511900000077"}],
        "settings": SETTINGS,
        "opted_out_at": None,
        "first_referral": None,
        "last_referral": None,
        "created_at": contact["created_at"],
        "updated_at": contact["updated_at"],
    }
    assert await ana.get(f"/contacts/{contact['id']}") == (200, contact)
    assert await contacts(ana) == [contact]
    assert len(await ana.events("contact.created")) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"name": "Nadia"}, ""),
        ({"handle": "nadia"}, ""),
        ({"handle": ""}, ""),
        ({"handle": "x" * 257, "channel_type": "instagram"}, "/handle"),
        ({"handle": "+5511", "name": "x" * 201}, "/name"),
        ({"handle": "+5511", "notes": "x" * 10_001}, "/notes"),
        ({"handle": "+5511", "channel_type": "telegram"}, "/channel_type"),
        ({"handle": "+5511", "vip": True}, "/vip"),
        ({"handle": "+5511", "settings": {"vip": "perhaps"}}, "/settings/vip"),
        ({"handle": "+5511", "settings": {"discount": 1}}, "/settings/discount"),
        ({"handle": "+5511", "identities": [{"channel_type": "email"}]}, "/identities/0/value"),
        ({"handle": "+5511", "name": "\x00"}, "/name"),
        ({"handle": "+5511", "name": "\udfff"}, "/name"),
    ],
)
async def test_refuses_a_bad_contact(ana, body, pointer):
    status, problem = await ana.post("/contacts", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])
    assert await contacts(ana) == []


async def test_finds_contacts(ana, bruno):
    conceicao = await ana.made("/contacts", {"name": "Marina Conceição", "handle": "+5511900000012"})
    percent = await ana.made("/contacts", {"name": r"100% _Ana_ C:\x", "handle": "percent@example.com"})
    await ana.patch(f"/contacts/{percent['id']}/settings", {"vip": True})
    percent = (await ana.get(f"/contacts/{percent['id']}"))[1]
    for query, found in (
        ({}, [percent, conceicao]),
        ({"q": ""}, [percent, conceicao]),
        ({"q": "a"}, [percent, conceicao]),
        ({"q": "CONCEICAO"}, [conceicao]),
        ({"q": "çã"}, [conceicao]),
        ({"q": "+5511"}, [conceicao]),
        ({"q": "100%"}, [percent]),
        ({"q": "%"}, [percent]),
        ({"q": "_ana_"}, [percent]),
        ({"q": "m_rina"}, []),
        ({"q": "\\"}, [percent]),
        ({"q": "PERCENT@"}, [percent]),
        ({"vip": True}, [percent]),
        ({"vip": "false"}, [conceicao]),
        ({"channel": "email"}, [percent]),
        ({"channel": "whatsapp", "q": "marina", "vip": False}, [conceicao]),
        ({"channel": "whatsapp", "vip": True}, []),
    ):
        assert await contacts(ana, **query) == found, query
    assert await contacts(bruno, q="marina") == []
    assert (await ana.get("/contacts", name="x"))[1]["code"] == "unknown_parameter"
    assert (await ana.get("/contacts", q="x" * 201))[0] == 422


async def test_pages_hold_every_contact_once(ana):
    for number in range(7):
        await ana.hears("oi", f"+551190000010{number}")
    seen, (_, page) = [], await ana.get("/contacts", limit=3, q="+5511900000")
    while page["next"]:
        seen += page["items"]
        await ana.hears("oi", f"+5511900000{len(seen)}99")
        _, page = await ana.get(page["next"])
    seen += page["items"]
    assert [each["handle"][-1] for each in seen] == list("6543210")


async def test_changes_only_what_is_given(ana):
    body = {"name": "Nadia", "handle": "+5511900000077", "email": "n@example.com", "phone": "+5511", "notes": "azul"}
    contact = await ana.made("/contacts", body)
    path = f"/contacts/{contact['id']}"
    status, changed = await ana.patch(path, {"name": "Nadia Prado", "phone": None})
    assert (status, changed) == (
        200,
        contact | {"name": "Nadia Prado", "phone": None, "updated_at": changed["updated_at"]},
    )
    assert (await ana.patch(path, {"settings": {"vip": True}}))[1]["settings"] == SETTINGS | {"vip": True}
    assert (await ana.patch(path, {"notes": None, "name": None, "email": None}))[1]["notes"] is None
    assert (await ana.patch(path, {"surname": "x"}))[0] == 422
    assert (await ana.patch(path, {}))[0] == 200


async def test_deleting_takes_everything_with_it(ana, eventually):
    entry = await ana.hears("Preciso disso hoje, é urgente")
    await eventually(ana.notifications)
    path = f"/contacts/{entry['contact_id']}"
    assert await ana.delete(path) == (204, None)
    assert (await ana.get(path))[0] == (await ana.delete(path))[0] == 404
    assert await ana.conversations() == await ana.notifications() == []
    assert [each["type"] for each in await ana.events(conversation_id=entry["conversation_id"])] == []
    assert (await ana.get(f"/conversations/{entry['conversation_id']}/messages"))[0] == 404
    assert (await ana.hears("voltei"))["contact_id"] != entry["contact_id"]


async def test_settings_are_read_and_changed(ana):
    entry = await ana.hears("oi")
    path = f"/contacts/{entry['contact_id']}/settings"
    assert await ana.get(path) == (200, SETTINGS)
    change = {
        "negotiation_enabled": "false",
        "negotiation_mode": "auto",
        "base_price": 1200.5,
        "custom_price": "99.90",
        "currency": "usd",
        "vip": "true",
        "preferred_tone": "friendly",
    }
    expected = {
        "negotiation_enabled": False,
        "negotiation_mode": "auto",
        "base_price": "1200.50",
        "custom_price": "99.90",
        "currency": "USD",
        "vip": True,
        "preferred_tone": "friendly",
    }
    assert await ana.patch(path, change) == (200, expected)
    assert await ana.get(path) == (200, expected)
    assert (await ana.get(f"/contacts/{entry['contact_id']}"))[1]["settings"] == expected
    assert (await ana.conversations())[0]["contact"]["vip"] is True
    assert (await ana.patch(path, {"custom_price": None}))[1] == expected | {"custom_price": None}
    assert (await ana.patch(path, {"currency": None}))[1]["currency"] == "BRL"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"negotiation_mode": "always"}, "/negotiation_mode"),
        ({"preferred_tone": "rude"}, "/preferred_tone"),
        ({"base_price": -1}, "/base_price"),
        ({"base_price": "12.345"}, "/base_price"),
        ({"base_price": "many"}, "/base_price"),
        ({"base_price": "NaN"}, "/base_price"),
        ({"base_price": "1e30"}, "/base_price"),
        ({"currency": "REAL"}, "/currency"),
        ({"vip": 2}, "/vip"),
        ({"discount": 1}, "/discount"),
    ],
)
async def test_refuses_bad_settings(ana, change, pointer):
    entry = await ana.hears("oi")
    status, problem = await ana.patch(f"/contacts/{entry['contact_id']}/settings", change)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_changes_at_once_do_not_undo_each_other(ana):
    entry = await ana.hears("oi")
    path = f"/contacts/{entry['contact_id']}"
    changes = [{"name": "Nadia"}, {"notes": "azul"}, {"email": "n@example.com"}, {"settings": {"vip": True}}]
    assert {status for status, _ in await asyncio.gather(*(ana.patch(path, change) for change in changes))} == {200}
    _, contact = await ana.get(path)
    assert [contact[name] for name in ("name", "notes", "email")] == ["Nadia", "azul", "n@example.com"]
    assert contact["settings"]["vip"] is True


async def test_somebody_elses_is_not_there(ana, bruno):
    entry = await ana.hears("oi")
    for named in (entry["contact_id"], uuid7(), "no-uuid"):
        path = f"/contacts/{named}"
        for answer in (
            await bruno.get(path),
            await bruno.patch(path, {"name": "x"}),
            await bruno.delete(path),
            await bruno.get(f"{path}/settings"),
            await bruno.patch(f"{path}/settings", {"vip": True}),
        ):
            assert (answer[0], answer[1]["code"]) == (404, "not_found")
    (contact,) = await contacts(ana)
    assert contact["name"] == "Marina Quintela"
