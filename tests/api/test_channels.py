"""Channels: the accounts that a tenant talks through."""

import pytest
from uuid_utils.compat import uuid7


async def channels(person, **query):
    status, page = await person.get("/channels", **query)
    assert status == 200, page
    return page["items"]


async def test_adds_and_shows_a_channel(ana):
    channel = await ana.made("/channels", {"type": "instagram", "name": " Loja Centro ", "external_account_id": 17})
    assert channel == {
        "id": channel["id"],
        "type": "instagram",
        "name": "Loja Centro",
        "external_account_id": "17",
        "active": True,
        "created_at": channel["created_at"],
        "last_message_at": None,
        "connection": None,
        "hook": None,
    }
    assert await ana.get(f"/channels/{channel['id']}") == (200, channel)
    assert await channels(ana) == [channel]


async def test_an_account_is_one_channels(ana, bruno):
    body = {"type": "whatsapp", "name": "Loja", "external_account_id": "1"}
    await ana.made("/channels", body)
    status, problem = await ana.post("/channels", body | {"name": "Outra"})
    assert (status, problem["code"]) == (409, "account_taken")
    other = await ana.made("/channels", body | {"external_account_id": "2"})
    status, problem = await ana.patch(f"/channels/{other['id']}", {"external_account_id": "1"})
    assert (status, problem["code"]) == (409, "account_taken")
    await ana.made("/channels", body | {"type": "messenger"})
    await bruno.made("/channels", body)
    for _ in range(2):
        await ana.made("/channels", {"type": "whatsapp", "name": "Sem conta"})
    assert len(await channels(ana)) == 5


async def test_a_webhook_finds_the_channel_of_its_account(ana):
    body = {"type": "whatsapp", "name": "Loja", "external_account_id": "109900000000001"}
    channel = await ana.made("/channels", body)
    await ana.hears("oi")
    assert (await ana.conversations())[0]["channel"] == {"id": channel["id"], "type": "whatsapp", "name": "Loja"}
    assert await channels(ana) == [channel | {"last_message_at": "2024-05-01T12:00:00Z"}]


async def test_changes_a_channel(ana):
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja", "external_account_id": "1"})
    path = f"/channels/{channel['id']}"
    assert await ana.patch(path, {"name": "Oficina"}) == (200, channel | {"name": "Oficina"})
    assert (await ana.patch(path, {"active": "false"}))[1]["active"] is False
    assert (await ana.patch(path, {"external_account_id": None}))[1]["external_account_id"] is None
    assert (await ana.patch(path, {"external_account_id": "2"}))[1] == channel | {
        "name": "Oficina",
        "active": False,
        "external_account_id": "2",
    }
    assert (await ana.patch(path, {}))[0] == 200


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/type", "/name"]),
        ({"type": "telegram", "name": "x"}, ["/type"]),
        ({"type": "email", "name": " "}, ["/name"]),
        ({"type": "email", "name": "x" * 201}, ["/name"]),
        ({"type": "email", "name": "x", "token": "s"}, ["/token"]),
        ({"type": "email", "name": "x", "external_account_id": "x" * 257}, ["/external_account_id"]),
        ({"type": "email", "name": "x\x00"}, ["/name"]),
    ],
)
async def test_refuses_a_bad_channel(ana, body, pointers):
    status, problem = await ana.post("/channels", body)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, pointers)


async def test_the_type_stays(ana):
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    status, problem = await ana.patch(f"/channels/{channel['id']}", {"type": "email"})
    assert (status, problem["errors"][0]["code"]) == (422, "unknown_field")


async def test_deleting_takes_the_conversations_and_leaves_the_contacts(ana):
    entry = await ana.hears("oi")
    (channel,) = await channels(ana)
    assert await ana.delete(f"/channels/{channel['id']}") == (204, None)
    assert (await ana.delete(f"/channels/{channel['id']}"))[0] == 404
    assert await channels(ana) == await ana.conversations() == []
    assert (await ana.get(f"/contacts/{entry['contact_id']}"))[0] == 200
    assert (await ana.hears("voltei"))["contact_id"] == entry["contact_id"]


async def test_deleting_keeps_the_tasks_of_its_conversations(ana):
    entry = await ana.hears("oi")
    task = await ana.made("/tasks", {"title": "Ligar", "conversation_id": entry["conversation_id"]})
    (channel,) = await channels(ana)
    await ana.delete(f"/channels/{channel['id']}")
    status, kept = await ana.get(f"/tasks/{task['id']}")
    assert (status, kept["conversation_id"], kept["contact_id"]) == (200, None, entry["contact_id"])


async def test_pages_hold_every_channel_once(ana):
    made = [await ana.made("/channels", {"type": "email", "name": f"{n}"}) for n in range(5)]
    seen, (_, page) = [], await ana.get("/channels", limit=2)
    while page["next"]:
        seen += page["items"]
        await ana.made("/channels", {"type": "email", "name": "new"})
        _, page = await ana.get(page["next"])
    assert seen + page["items"] == made[::-1]
    assert (await ana.get("/channels", kind="x"))[1]["code"] == "unknown_parameter"


async def test_somebody_elses_is_not_there(ana, bruno):
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    for named in (channel["id"], uuid7(), "no-uuid"):
        for answer in (
            await bruno.get(f"/channels/{named}"),
            await bruno.patch(f"/channels/{named}", {"name": "x"}),
            await bruno.delete(f"/channels/{named}"),
        ):
            assert (answer[0], answer[1]["code"]) == (404, "not_found")
    assert await channels(ana) == [channel]
    assert await channels(bruno) == []
