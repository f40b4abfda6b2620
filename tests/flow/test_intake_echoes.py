"""What the business wrote in the messenger's own app, and who may change what."""

import pytest

from tests.flow.taking_in import AT, NUMBER


async def test_an_echo_is_an_outbound_message(ana, hears, eventually):
    heard = await hears(NUMBER, id="in", text="Preciso disso hoje, é urgente")
    await ana.post(f"/conversations/{heard.conversation_id}/read")
    later = AT.replace(hour=13)
    echo = await hears(NUMBER, id="echo", kind="echo", text="Já vai", at=later)
    assert (echo.duplicate, echo.classification, echo.conversation_id) == (False, None, heard.conversation_id)
    message = (await ana.messages(heard.conversation_id))[0]
    assert (message["id"], message["body"], message["direction"]) == (str(echo.message_id), "Já vai", "outbound")
    assert (message["status"], message["author"], message["source"]) == ("sent", "person", "native_app")
    (shown,) = await ana.conversations()
    assert (shown["unread_count"], shown["snippet"], shown["last_message_direction"]) == (0, "Já vai", "outbound")
    assert shown["urgency"] == "high", "of the last inbound message"
    (event,) = await ana.events("message.sent")
    assert event["message_id"] == str(echo.message_id)
    assert len(await ana.events("message.received")) == 1

    again = await hears(NUMBER, id="echo", kind="echo", text="Já vai", at=later)
    assert (again.duplicate, again.message_id) == (True, echo.message_id)
    status, told = await ana.post(
        f"/conversations/{heard.conversation_id}/messages", {"body": "Já vai", "external_id": "echo"}
    )
    assert (status, told["id"]) == (200, str(echo.message_id))
    assert len(await ana.messages(heard.conversation_id)) == 2


async def test_an_echo_makes_whom_it_was_written_to(ana, hears):
    echo = await hears(NUMBER, id="first", kind="echo", text="Bom dia!")
    (shown,) = await ana.conversations()
    assert (shown["id"], shown["unread_count"], shown["status"]) == (str(echo.conversation_id), 0, "open")
    assert (await hears(NUMBER, id="answer")).conversation_id == echo.conversation_id
    assert await ana.notifications() == []


async def test_an_echo_does_not_reopen(ana, hears):
    heard = await hears(NUMBER, id="in")
    await ana.patch(f"/conversations/{heard.conversation_id}", {"status": "closed"})
    await hears(NUMBER, id="echo", kind="echo")
    assert [each["status"] for each in await ana.conversations()] == ["closed"]


async def test_an_echo_of_what_the_api_knows_is_a_duplicate(ana, hears):
    heard = await hears(NUMBER, id="in")
    sent = await ana.made(f"/conversations/{heard.conversation_id}/messages", {"body": "Oi!", "external_id": "x1"})
    echo = await hears(NUMBER, id="x1", kind="echo", text="Oi!")
    assert (echo.duplicate, str(echo.message_id)) == (True, sent["id"])
    assert sent["source"] == "api"


async def test_statuses_and_own_changes_follow_an_echo(ana, hears):
    await hears(NUMBER, id="e1", kind="status", status="delivered", text=None, at=AT.replace(minute=1))
    echo = await hears(NUMBER, id="e1", kind="echo", text="R$ 100")
    assert (await ana.messages(echo.conversation_id))[0]["status"] == "delivered"
    await hears(NUMBER, id="e1", kind="status", status="edited", text="R$ 90", from_business=True)
    (message,) = await ana.messages(echo.conversation_id)
    assert (message["body"], message["classification"], message["edited_at"] is not None) == ("R$ 90", None, True)
    await hears(NUMBER, id="e1", kind="status", status="deleted", text=None, from_business=True)
    (message,) = await ana.messages(echo.conversation_id)
    assert (message["body"], message["deleted_at"] is not None) == ("", True)


@pytest.mark.parametrize(("status", "text"), [("edited", "R$ 1"), ("deleted", None)])
async def test_a_customer_never_changes_ours(ana, hears, status, text):
    echo = await hears(NUMBER, id="offer", kind="echo", text="R$ 100")
    await hears(NUMBER, id="offer", kind="status", status=status, text=text, from_business=False)
    (message,) = await ana.messages(echo.conversation_id)
    assert (message["body"], message["edited_at"], message["deleted_at"]) == ("R$ 100", None, None)
    # What was forged does not stand in the way of our own word.
    await hears(NUMBER, id="offer", kind="status", status=status, text=text, from_business=True)
    (message,) = await ana.messages(echo.conversation_id)
    assert (message["edited_at"] or message["deleted_at"]) is not None


@pytest.mark.parametrize("side", [True, False])
async def test_nor_before_the_message_is_there(ana, hears, side):
    kind = "message" if side else "echo"
    await hears(NUMBER, id="m", kind="status", status="deleted", text=None, from_business=side)
    taken = await hears(NUMBER, id="m", kind=kind, text="R$ 100")
    (message,) = await ana.messages(taken.conversation_id)
    assert (message["body"], message["deleted_at"]) == ("R$ 100", None)


async def test_where_the_side_is_not_told_it_may_be_either(ana, hears):
    echo = await hears(NUMBER, id="m", kind="echo", text="R$ 100")
    await hears(NUMBER, id="m", kind="status", status="deleted", text=None)
    (message,) = await ana.messages(echo.conversation_id)
    assert message["deleted_at"] is not None
