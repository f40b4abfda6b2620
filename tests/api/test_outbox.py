"""What waits to go out: scheduled, cancelled, handed out to somebody else, tried again."""

import asyncio

import pytest

from tests.api.outboxes import chat, claim, lapse, opened, root, shown, write
from tests.people import Person, delivery

__all__ = ["chat", "root"]


async def test_an_unconnected_message_waits_for_whoever_sends_it(ana, chat):
    message = await write(ana, chat)
    assert (message["status"], message["delivery"], message["error"], message["author"]) == (
        "queued", None, None, "person",
    )  # fmt: skip
    (item,) = await claim(ana)
    assert item | {"lease_until": 0, "attempts": 0} == message | {"lease_until": 0, "attempts": 0}
    assert (item["attempts"], item["lease_until"] > message["created_at"]) == (1, True)
    assert await claim(ana) == []


async def test_one_of_a_conversation_at_a_time_oldest_first(ana, chat):
    other = await opened(ana, "+5511900000077")
    first, second = await write(ana, chat, "um"), await write(ana, chat, "dois")
    third = await write(ana, other, "três")
    assert [item["id"] for item in await claim(ana)] == [first["id"], third["id"]]
    assert await claim(ana) == []
    for message in (first, third):
        await ana.post(f"/messages/{message['id']}/outcome", {"status": "sent", "external_id": message["id"]})
    assert [item["id"] for item in await claim(ana)] == [second["id"]]


async def test_two_who_claim_at_once_get_different_messages(ana):
    chats = [await opened(ana, f"+55119000001{n:02}") for n in range(12)]
    for conversation in chats:
        await write(ana, conversation)
        await write(ana, conversation, "zwei")
    answers = await asyncio.gather(*(claim(ana, most=4) for _ in range(6)))
    ids = [item["id"] for items in answers for item in items]
    assert len(ids) == len(set(ids))
    given = [item["conversation_id"] for items in answers for item in items]
    assert len(given) == len(set(given))


async def test_claims_of_a_channel_that_is_not_there_are_refused(ana, bruno, chat):
    channel = (await ana.get(f"/conversations/{chat}"))[1]["channel"]["id"]
    assert await claim(ana, channel_id=channel) == []
    for person, unknown in ((bruno, channel), (ana, chat)):
        status, problem = await person.post("/messages/claim", {"channel_id": unknown})
        assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/channel_id"])


async def test_nobody_claims_what_is_anothers(ana, bruno, chat):
    message = await write(ana, chat)
    assert await claim(bruno) == []
    for call in ("outcome", "cancel", "retry"):
        status, _ = await bruno.post(
            f"/messages/{message['id']}/{call}", {"status": "sent"} if call == "outcome" else {}
        )
        assert status == 404
    assert (await bruno.get(f"/messages/{message['id']}"))[0] == 404
    assert (await bruno.patch(f"/messages/{message['id']}", {"body": "x"}))[0] == 404


async def test_an_outcome_binds_statuses_before_and_after(ana, chat):
    await ana.post("/webhooks/whatsapp", delivery("wamid.early", "delivered"))
    message = await write(ana, chat)
    (item,) = await claim(ana)
    path, body = f"/messages/{item['id']}/outcome", {"status": "sent", "external_id": "wamid.early"}
    status, answer = await ana.post(path, body)
    assert (status, answer["status"], answer["external_id"]) == (200, "delivered", "wamid.early")
    await ana.post("/webhooks/whatsapp", delivery("wamid.early", "read"))
    assert (await ana.post(path, body))[1]["status"] == "read"
    assert (await ana.post(path, {"status": "failed"}))[1]["code"] == "not_queued"
    assert (await ana.post(path, {"status": "sent", "external_id": "other"}))[1]["code"] == "not_queued"
    assert (await shown(ana, message))["status"] == "read"


async def test_a_failure_says_why(ana, chat):
    message = await write(ana, chat)
    path = f"/messages/{message['id']}/outcome"
    body = {"status": "failed", "error": {"code": "131026", "detail": "Message undeliverable"}}
    assert (await ana.post(path, body))[1]["error"] == {
        "code": "provider_error", "detail": "Message undeliverable", "remedy": "retry_later",
        "provider_code": "131026", "retryable": False,
    }  # fmt: skip
    assert (await ana.post(path, body))[0] == 200
    (event, *_) = await ana.events("message.status_changed")
    assert event["payload"]["error"]["provider_code"] == "131026"
    other = await write(ana, chat)
    body = {"status": "failed", "error": {"code": "window_closed", "detail": "Too late"}}
    error = (await ana.post(f"/messages/{other['id']}/outcome", body))[1]["error"]
    assert (error["code"], error["detail"], error["provider_code"]) == ("window_closed", "Too late", None)


async def test_a_lease_that_ran_out_holds_the_message_back(ana, chat, root, eventually):
    message, following = await write(ana, chat), await write(ana, chat, "depois")
    await claim(ana)
    await lapse(root, message)
    held = await eventually(lambda: shown(ana, message), lambda found: found["delivery"])
    assert (held["status"], held["delivery"]["state"], held["error"]["code"]) == (
        "queued",
        "unknown",
        "outcome_unknown",
    )
    assert [item["id"] for item in await claim(ana)] == [following["id"]]
    retry = f"/messages/{message['id']}/retry"
    assert (await ana.post(retry))[1]["code"] == "outcome_unknown"
    status, answer = await ana.post(retry, {"risk_duplicate": True})
    assert (status, answer["status"], answer["delivery"], answer["error"]) == (202, "queued", None, None)
    await ana.post(f"/messages/{following['id']}/outcome", {"status": "sent"})
    assert [item["id"] for item in await claim(ana)] == [message["id"]]


async def test_a_proof_ends_the_doubt(ana, chat, root, eventually):
    message = await write(ana, chat)
    await claim(ana)
    await lapse(root, message)
    await eventually(lambda: shown(ana, message), lambda found: found["delivery"])
    status, answer = await ana.post(f"/messages/{message['id']}/outcome", {"status": "sent", "external_id": "wamid.x"})
    assert (status, answer["status"], answer["delivery"], answer["error"]) == (200, "sent", None, None)


async def test_after_a_day_of_doubt_it_has_failed(ana, chat, root, eventually):
    message = await write(ana, chat)
    await claim(ana)
    for wanted in ("unknown", "dead"):
        await lapse(root, message)
        found = await eventually(
            lambda: shown(ana, message), lambda found, wanted=wanted: (found["delivery"] or {}).get("state") == wanted
        )
    assert (found["status"], found["error"]["code"]) == ("failed", "outcome_unknown")


async def test_whoever_allows_it_is_given_a_message_three_times(ana, chat, root, eventually):
    message = await write(ana, chat)
    for attempt in (1, 2, 3):
        (item,) = await claim(ana, on_unknown="retry")
        assert (item["id"], item["attempts"]) == (message["id"], attempt)
        await lapse(root, message)
    failed = await eventually(lambda: shown(ana, message), lambda found: found["status"] == "failed")
    assert failed["error"]["code"] == "outcome_unknown"
    assert await claim(ana, on_unknown="retry") == []


async def test_what_has_waited_for_months_is_not_handed_out(ana, chat, root):
    message = await write(ana, chat)
    for old in ("queued_at = null", "queued_at = now() - interval '25 hours'"):
        await root.execute(f"update messages set {old} where message_id = $1", message["id"])
        assert await claim(ana) == []
    assert (await ana.post(f"/messages/{message['id']}/retry"))[0] == 202
    assert [item["id"] for item in await claim(ana)] == [message["id"]]


async def test_what_somebody_sent_is_never_handed_out(ana, chat):
    await write(ana, chat, external_id="wamid.mine")
    assert await claim(ana) == []


async def test_a_fresh_message_needs_no_retry(ana, chat):
    message = await write(ana, chat)
    assert (await ana.post(f"/messages/{message['id']}/retry"))[1]["code"] == "not_connected"
    await claim(ana)
    assert (await ana.post(f"/messages/{message['id']}/retry"))[1]["code"] == "not_retryable"
    await ana.post(f"/messages/{message['id']}/outcome", {"status": "sent"})
    assert (await ana.post(f"/messages/{message['id']}/retry"))[1]["code"] == "not_retryable"


@pytest.mark.parametrize(
    ("more", "pointer", "code"),
    [
        ({"scheduled_at": "2020-01-01T00:00:00Z"}, "/scheduled_at", "not_in_future"),
        ({"scheduled_at": "2099-01-01T00:00:00Z"}, "/scheduled_at", "not_in_future"),
        ({"scheduled_at": "2027-01-05T12:00:00Z", "external_id": "x"}, "/scheduled_at", "sent"),
        ({"body": "  "}, "/body", "empty_message"),
        ({"attachments": [{"type": "image", "url": "https://x.example/1"}] * 11}, "/attachments", "too_many"),
        ({"attachments": [{"type": "image", "url": "ftp://x.example/1"}]}, "/attachments/0/url", "invalid_url"),
        ({"attachments": [{"type": "image", "url": "https://a:b@x.example/1"}]}, "/attachments/0/url", "invalid_url"),
        ({"subject": "a\nBcc: b"}, "/subject", "line_break"),
    ],
)
async def test_refuses_what_cannot_be_sent(ana, chat, more, pointer, code):
    status, problem = await ana.post(f"/conversations/{chat}/messages", {"body": "x"} | more)
    assert (status, problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (422, pointer, code)


async def test_what_is_under_way_cannot_be_cancelled(ana, chat):
    message = await write(ana, chat)
    await claim(ana)
    assert (await ana.post(f"/messages/{message['id']}/cancel"))[1]["code"] == "not_cancellable"
    other = await opened(ana, "+5511900000078")
    waiting = await write(ana, other)
    assert (await ana.post(f"/messages/{waiting['id']}/cancel"))[1]["status"] == "cancelled"
    assert await claim(ana) == []


async def test_lists_messages_of_all_conversations(ana, chat):
    other = await opened(ana, "+5511900000079")
    ids = [(await write(ana, conversation, str(n)))["id"] for n, conversation in enumerate([chat, other, chat])]
    status, page = await ana.get("/messages", direction="outbound", limit=2)
    assert (status, [each["id"] for each in page["items"]], page["has_more"]) == (200, ids[:0:-1], True)
    _, rest = await ana.get("/messages", direction="outbound", limit=2, cursor=page["next_cursor"])
    assert [each["id"] for each in rest["items"]] == ids[:1]
    await ana.post(f"/messages/{ids[1]}/cancel")
    assert [each["id"] for each in (await ana.get("/messages", status="cancelled"))[1]["items"]] == [ids[1]]
    found = (await ana.get("/messages", conversation_id=chat, status="queued"))[1]["items"]
    assert [each["id"] for each in found] == [ids[2], ids[0]]


async def test_a_token_speaks_as_automation(ana, http, chat):
    token = (await ana.made("/tokens", {"name": "n8n"}))["token"]
    robot = Person(http, ana.address, {"access_token": token})
    assert (await write(robot, chat))["author"] == "automation"
    assert (await write(robot, chat, author="person"))["author"] == "person"


@pytest.mark.parametrize(("variables", "pointer"), [({"1": ["a"]}, "/1"), (["a", {}], "/1"), (5, "")])
async def test_a_fault_of_a_template_is_told_of_the_shape_that_was_sent(ana, chat, variables, pointer):
    body = {"template": {"name": "promo", "variables": variables}}
    status, problem = await ana.post(f"/conversations/{chat}/messages", body)
    assert status == 422
    assert [fault["pointer"] for fault in problem["errors"]] == [f"/template/variables{pointer}"]


async def test_an_attachment_and_a_template_are_kept(ana, chat):
    file = {"type": "image", "url": "https://x.example/1.jpg", "caption": "foto", "file_name": "1.jpg"}
    message = await write(ana, chat, "", attachments=[file])
    (kept,) = message["attachments"]
    assert kept == file | {"external_id": None, "mime_type": None, "content": kept["content"]}
    template = {"name": "promo", "language": "pt_BR", "variables": ["Ana"]}
    assert (await write(ana, chat, "", template=template))["template"] == template
    assert (await ana.get(f"/conversations/{chat}"))[1]["send_policy"]["state"] == "open"
