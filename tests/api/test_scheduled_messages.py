"""Messages for later: they wait unseen, are called off by a reply, and can be changed until they are due."""

import asyncio
from datetime import UTC, datetime

from tests.api.outboxes import chat, claim, lapse, later, root, shown, write
from tests.people import whatsapp

__all__ = ["chat", "root"]


async def test_a_message_for_later_waits_unseen(ana, chat, root, eventually):
    before = (await ana.get(f"/conversations/{chat}"))[1]
    message = await write(ana, chat, "Lembrete", scheduled_at=later(hours=2))
    assert (message["status"], message["cancel_on_reply"]) == ("scheduled", True)
    assert message["sent_at"] == message["scheduled_at"]
    assert (await ana.get(f"/conversations/{chat}"))[1] == before
    assert await claim(ana) == []
    assert [event["type"] for event in await ana.events() if event["message_id"] == message["id"]] == [
        "message.scheduled"
    ]
    await lapse(root, message)
    queued = await eventually(lambda: shown(ana, message), lambda found: found["status"] == "queued")
    assert queued["sent_at"] < queued["scheduled_at"]
    assert (await ana.get(f"/conversations/{chat}"))[1]["snippet"] == "Lembrete"
    await asyncio.sleep(1.2)
    told = [event["type"] for event in await ana.events() if event["message_id"] == message["id"]]
    assert told.count("message.sent") == 1


async def test_a_reply_calls_off_what_was_scheduled(ana, chat, root, eventually):
    stays = await write(ana, chat, "mesmo assim", scheduled_at=later(hours=2), cancel_on_reply=False)
    goes = await write(ana, chat, "você viu?", scheduled_at=later(hours=2))
    await ana.post("/webhooks/whatsapp", whatsapp("Vi sim", at=int(datetime.now(UTC).timestamp()) + 5))
    await lapse(root, goes)
    await lapse(root, stays)
    gone = await eventually(lambda: shown(ana, goes), lambda found: found["status"] == "cancelled")
    assert gone["error"]["code"] == "cancelled_by_reply"
    queued = await eventually(lambda: shown(ana, stays), lambda found: found["status"] == "queued")
    assert queued["error"] is None


async def test_a_scheduled_message_can_be_changed(ana, chat):
    message = await write(ana, chat, scheduled_at=later(hours=2))
    path, moment = f"/messages/{message['id']}", "2027-01-05T12:00:00Z"
    status, changed = await ana.patch(path, {"body": "Outro", "scheduled_at": moment, "cancel_on_reply": False})
    assert (status, changed["body"], changed["scheduled_at"], changed["sent_at"], changed["cancel_on_reply"]) == (
        200, "Outro", moment, moment, False,
    )  # fmt: skip
    assert (await ana.post(f"{path}/cancel"))[1]["status"] == "cancelled"
    assert (await ana.post(f"{path}/cancel"))[0] == 200
    assert (await ana.patch(path, {"body": "x"}))[1]["code"] == "not_scheduled"
    assert len(await ana.events("message.cancelled")) == 1
