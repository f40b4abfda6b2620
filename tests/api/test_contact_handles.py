"""The handles and identities by which contacts are known."""

import asyncio

import pytest

from tests.api.posts import flat, messenger
from tests.api.test_contacts import contacts


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
