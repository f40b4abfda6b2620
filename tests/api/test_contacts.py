"""Contacts: people, known by their channel identities."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from tests.api.posts import flat, messenger

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
    ("body", "handle", "channel"),
    [
        ({"handle": "+55 11 90000-0077"}, "+5511900000077", "whatsapp"),
        ({"handle": 5511900000077}, "+5511900000077", "whatsapp"),
        ({"handle": "Nadia@Example.com"}, "nadia@example.com", "email"),
        ({"handle": "7000000000000012", "channel_type": "messenger"}, "7000000000000012", "messenger"),
        ({"handle": "abc@lid", "channel_type": "whatsapp"}, "abc@lid", "whatsapp"),
        ({"identities": [{"channel_type": "instagram", "value": "igsid"}]}, "igsid", "instagram"),
    ],
)
async def test_a_handle_tells_its_channel(ana, body, handle, channel):
    contact = await ana.made("/contacts", body)
    assert (contact["name"], contact["handle"], contact["channel_type"]) == (None, handle, channel)
    assert contact["identities"] == [{"channel_type": channel, "value": handle}]


async def test_a_person_has_several_identities(ana):
    ways = [{"channel_type": "email", "value": "n@example.com"}, {"channel_type": "messenger", "value": "700"}]
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000077", "identities": ways})
    assert len(contact["identities"]) == 3
    first = (await ana.post("/webhooks/messenger", messenger("oi", "700")))[1]["messages"][0]
    second = (await ana.post("/webhooks/email", flat("oi", "n@example.com")))[1]["messages"][0]
    third = await ana.hears("oi", "+5511900000077", name="Other")
    assert {each["contact_id"] for each in (first, second, third)} == {contact["id"]}
    assert len({each["conversation_id"] for each in (first, second, third)}) == 3
    assert await contacts(ana) == [contact]
    for channel in ("email", "messenger", "whatsapp"):
        assert await contacts(ana, channel=channel) == [contact]
    assert await contacts(ana, channel="instagram") == []


async def test_a_handle_is_one_persons(ana, bruno):
    nadia = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000077"})
    rui = await ana.made("/contacts", {"name": "Rui", "handle": "+5511900000078"})
    for taken in ("+5511900000077", "+55 11 90000-0077"):
        status, problem = await ana.post("/contacts", {"handle": taken})
        assert (status, problem["code"]) == (409, "handle_taken")
        status, problem = await ana.patch(f"/contacts/{rui['id']}", {"handle": taken})
        assert (status, problem["code"]) == (409, "handle_taken")
    identities = [*rui["identities"], *nadia["identities"]]
    assert (await ana.patch(f"/contacts/{rui['id']}", {"identities": identities}))[1]["code"] == "handle_taken"
    await ana.made("/contacts", {"handle": "+5511900000077", "channel_type": "instagram"})
    await bruno.made("/contacts", {"handle": "+5511900000077"})
    assert await ana.get(f"/contacts/{rui['id']}") == (200, rui)
    assert len(await contacts(ana)) == 3


async def test_added_at_once_it_is_one(ana):
    answers = await asyncio.gather(*(ana.post("/contacts", {"handle": "+5511900000077"}) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409, 409]
    assert len(await contacts(ana)) == len(await ana.events("contact.created")) == 1


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


async def test_changes_the_handle(ana):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000077"})
    _, changed = await ana.patch(f"/contacts/{contact['id']}", {"handle": "+5511900000078"})
    assert changed["handle"] == "+5511900000078"
    assert changed["identities"] == [{"channel_type": "whatsapp", "value": "+5511900000078"}]
    assert (await ana.hears("oi", "+5511900000078"))["contact_id"] == contact["id"]
    assert (await ana.hears("oi", "+5511900000077"))["contact_id"] != contact["id"]


async def test_replaces_the_identities(ana):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000077"})
    ways = [
        {"channel_type": "whatsapp", "value": "+5511900000077"},
        {"channel_type": "email", "value": "N@Example.com"},
    ]
    _, changed = await ana.patch(f"/contacts/{contact['id']}", {"identities": ways})
    assert {each["value"] for each in changed["identities"]} == {"+5511900000077", "n@example.com"}
    assert changed["handle"] == "+5511900000077"
    _, changed = await ana.patch(f"/contacts/{contact['id']}", {"identities": ways[1:]})
    assert (changed["handle"], changed["channel_type"]) == ("n@example.com", "email")
    assert changed["identities"] == [{"channel_type": "email", "value": "n@example.com"}]
    assert (await ana.patch(f"/contacts/{contact['id']}", {"identities": []}))[0] == 422


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


@pytest.mark.parametrize(("handle", "status"), [("1" * 255, 201), ("1" * 256, 422), ("1" * 257, 422)])
async def test_a_handle_is_measured_as_it_is_stored(ana, handle, status):
    """A number gets a + in front."""
    answered, contact = await ana.post("/contacts", {"handle": handle})
    assert answered == status, contact
    identity = {"channel_type": "whatsapp", "value": handle}
    if status == 201:
        path = f"/contacts/{contact['id']}"
        assert (await ana.patch(path, {"name": "Longa"}))[0] == 200
        assert (await ana.patch(path, {"identities": [identity]}))[0] == 200
    else:
        known = await ana.made("/contacts", {"handle": "x@example.com"})
        for body in ({"handle": handle}, {"identities": [identity]}):
            assert (await ana.patch(f"/contacts/{known['id']}", body))[0] == 422


async def test_a_stored_row_is_changed_whatever_the_rules_were_then(ana, owner_db):
    """The way in keeps longer handles than people may write."""
    heard = await ana.hears("oi", "+" + "1" * 300)
    path = f"/contacts/{heard['contact_id']}"
    status, contact = await ana.patch(path, {"name": "Longa"})
    assert (status, contact["name"]) == (200, "Longa")
    assert (await ana.patch(path, {"identities": [{"channel_type": "email", "value": "a@example.com"}]}))[0] == 200


@pytest.mark.parametrize("q", ["(11) 98765-1234", "98765-1234", "+55 11 98765 1234", "98765.1234"])
async def test_finds_a_number_however_it_is_written(ana, q):
    contact = await ana.made("/contacts", {"handle": "+5511987651234", "name": "Bia"})
    await ana.made("/contacts", {"handle": "+5511987651235"})
    _, page = await ana.get("/contacts", q=q)
    assert [each["id"] for each in page["items"]] == [contact["id"]]
    assert (await ana.get("/contacts", q="(11) 98765-1299"))[1]["items"] == []
