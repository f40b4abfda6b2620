"""Replies that reach the customer: real service, real peer on loopback, in order and once."""

import asyncio

import pytest

from bench.peers import Say
from tests.flow.conftest import ACCOUNT, Chat, now
from tests.people import delivery, whatsapp


def error(code, status=400, **headers):
    return Say(status, {"error": {"code": code, "message": "no"}}, headers)


async def test_a_reply_is_sent_and_its_statuses_find_it(opened, meta, rosa):
    chat = await opened()
    message = await chat.write("Bom dia!")
    sent = await chat.becomes(message, "sent")
    (seen,) = meta.seen
    assert (seen.method, seen.path) == ("POST", f"/graph/v26.0/{ACCOUNT}/messages")
    assert seen.headers["Authorization"] == "Bearer s3cr3t-token"
    assert (seen.body["to"], seen.text) == ("5511900000012", "Bom dia!")
    assert sent["external_id"] == f"wamid.{meta.ids[0]}"
    assert sent["delivery"] == {
        "state": "done", "attempts": 1, "next_attempt_at": None, "parts": 1, "parts_sent": 1,
    }  # fmt: skip
    await rosa.post("/webhooks/whatsapp", delivery(sent["external_id"], "read"))
    assert (await chat.message(message))["status"] == "read"
    _, parts = await rosa.get(f"/messages/{message['id']}/deliveries")
    assert [(part["part"], part["kind"], part["state"]) for part in parts["items"]] == [(1, "text", "done")]
    assert (await chat.connection())["state"] == "connected"


async def test_twenty_messages_keep_their_order_past_an_error(opened, meta):
    chat = await opened()
    meta.script.extend([Say(*ok) for ok in []])
    messages = [await chat.write(f"m{n}") for n in range(7)]
    meta.script.append(error(131016, 500))
    messages += [await chat.write(f"m{n}") for n in range(7, 20)]
    for message in messages:
        await chat.becomes(message, "sent")
    order = list(meta.texts)
    deduplicated = [text for n, text in enumerate(order) if n == 0 or order[n - 1] != text]
    assert deduplicated == [f"m{n}" for n in range(20)]
    assert len(order) == 21


async def test_a_rate_limit_is_obeyed_and_counts_no_attempt(opened, meta, rosa):
    chat = await opened()
    meta.script.append(Say(429, {"error": {"code": 4, "message": "slow"}}, {"Retry-After": "1"}))
    message = await chat.write("devagar")
    sent = await chat.becomes(message, "sent")
    first, second = meta.seen
    assert second.at - first.at >= 1.0
    assert sent["delivery"]["attempts"] == 1


async def test_an_error_of_the_provider_is_final_and_told(opened, meta, rosa, eventually):
    chat = await opened()
    meta.script.append(error(131026))
    message = await chat.write("ninguém")
    failed = await chat.becomes(message, "failed")
    assert (failed["error"]["code"], failed["error"]["remedy"], failed["error"]["provider_code"]) == (
        "recipient_unreachable", "check_recipient", "131026",
    )  # fmt: skip
    assert len(meta.seen) == 1
    (told,) = await eventually(lambda: rosa.notifications(type="delivery_failed"))
    assert (told["conversation_id"], told["title"]) == (chat.id, "Mensagem não enviada a Marina Quintela")
    status, again = await rosa.post(f"/messages/{message['id']}/retry")
    assert (status, again["status"]) == (202, "queued")
    await chat.becomes(message, "sent")


async def test_after_the_last_attempt_it_is_dead(opened, meta):
    chat = await opened()
    meta.always = error(131016, 500)
    failed = await chat.becomes(await chat.write("em vão"), "failed")
    assert (failed["error"]["code"], failed["delivery"]["attempts"], len(meta.seen)) == ("provider_error", 8, 8)


@pytest.mark.parametrize("say", [Say(how="reset"), Say(502, "<html>"), Say(200, "{}"), Say(200, '{"messages": [')])
async def test_an_unknown_outcome_is_not_repeated_and_does_not_stop_the_next(opened, meta, rosa, say):
    chat = await opened()
    meta.script.append(say)
    message, following = await chat.write("talvez"), await chat.write("depois")
    held = await chat.delivery_is(message, "unknown")
    assert (held["status"], held["error"]["code"]) == ("queued", "outcome_unknown")
    await chat.becomes(following, "sent")
    assert meta.counts() == {"talvez": 1, "depois": 1}
    callback = meta.seen[0].body["biz_opaque_callback_data"]
    await rosa.post("/webhooks/whatsapp", delivery("wamid.late", "delivered", biz_opaque_callback_data=callback))
    proven = await chat.becomes(message, "delivered")
    assert (proven["external_id"], proven["error"], proven["delivery"]["state"]) == ("wamid.late", None, "done")
    assert meta.counts()["talvez"] == 1


async def test_an_unknown_outcome_is_repeated_only_by_a_person_who_accepts_it(opened, meta, rosa):
    chat = await opened()
    meta.script.append(Say(how="reset"))
    message = await chat.write("talvez")
    await chat.delivery_is(message, "unknown")
    path = f"/messages/{message['id']}/retry"
    assert (await rosa.post(path))[1]["code"] == "outcome_unknown"
    assert (await rosa.post(path, {"risk_duplicate": True}))[0] == 202
    await chat.becomes(message, "sent")
    assert meta.counts() == {"talvez": 2}


async def test_a_status_may_be_faster_than_the_answer(opened, meta, rosa):
    chat = await opened()
    meta.script.append(Say(200, {"messages": [{"id": "wamid.slow"}]}, seconds=0.4))
    message = await chat.write("rápido")
    await asyncio.sleep(0.2)
    await rosa.post("/webhooks/whatsapp", delivery("wamid.slow", "delivered"))
    await chat.becomes(message, "delivered")


async def test_a_refused_token_holds_everything_until_it_is_renewed(opened, meta, rosa, eventually):
    chat = await opened()
    meta.always = error(190, 401)
    messages = [await chat.write(f"h{n}") for n in range(3)]
    broken = await eventually(chat.connection, lambda found: found["state"] == "auth_failed")
    assert broken["error"]["code"] == "auth_failed"
    asked = len(meta.seen)
    (told,) = await eventually(lambda: rosa.notifications(type="channel_error"))
    assert told["title"] == "O canal precisa de atenção: Loja whatsapp_cloud"
    meta.always = None
    status, test = await rosa.post(f"/channels/{chat.channel_id}/connection/test")
    assert (status, test["ok"]) == (200, True)
    for message in messages:
        assert (await chat.becomes(message, "sent"))["delivery"]["attempts"] == 1
    assert meta.texts[asked:] == [f"h{n}" for n in range(3)]
    assert len(await rosa.events("channel.error")) == 1


async def test_a_long_text_goes_in_parts_and_fails_with_the_worst(opened, meta, rosa):
    chat = await opened()
    body = " ".join(["palavra"] * 1200)
    message = await chat.write(body)
    sent = await chat.becomes(message, "sent")
    assert sent["delivery"]["parts"] == 3
    assert " ".join(meta.texts) == body
    first, second, third = (f"wamid.{each}" for each in meta.ids)
    assert sent["external_id"] == first
    for each in (first, second):
        await rosa.post("/webhooks/whatsapp", delivery(each, "delivered"))
    assert (await chat.message(message))["status"] == "sent"
    await rosa.post("/webhooks/whatsapp", delivery(third, "read"))
    assert (await chat.message(message))["status"] == "delivered"


async def test_a_part_that_fails_takes_the_later_ones_along(opened, meta, rosa):
    chat = await opened()
    meta.script.extend([Say(200, {"messages": [{"id": "wamid.part1"}]}), error(131053)])
    message, following = await chat.write(" ".join(["palavra"] * 1200)), await chat.write("e mais")
    failed = await chat.becomes(message, "failed")
    assert failed["error"]["detail"].startswith("part 2 of 3: ")
    await chat.becomes(following, "sent")
    _, parts = await rosa.get(f"/messages/{message['id']}/deliveries")
    assert [part["state"] for part in parts["items"]] == ["done", "dead", "cancelled"]
    await rosa.post(f"/messages/{message['id']}/retry")
    await chat.becomes(message, "sent")
    assert len(meta.seen) == 5  # the first part was not sent again


async def test_cancelled_before_it_goes_and_not_after(opened, meta, rosa):
    chat = await opened()
    meta.script.append(Say(200, {"messages": [{"id": "wamid.first"}]}, seconds=0.5))
    first, second, third = [await chat.write(text) for text in ("um", "dois", "três")]
    assert (await rosa.post(f"/messages/{second['id']}/cancel"))[1]["status"] == "cancelled"
    await chat.becomes(first, "sent")
    await chat.becomes(third, "sent")
    assert meta.texts == ["um", "três"]
    assert (await rosa.post(f"/messages/{first['id']}/cancel"))[1]["code"] == "not_cancellable"


async def test_what_was_queued_before_connecting_stays_until_retried(rosa, meta, eventually):
    entry = await rosa.hears("Oi", at=now())
    (channel,) = (await rosa.get("/channels"))[1]["items"]
    chat = Chat(rosa, channel["id"], entry["conversation_id"], eventually)
    old = await chat.write("antes")
    body = {"provider": "whatsapp_cloud", "phone_number_id": ACCOUNT, "access_token": "t", "base_url": meta.base_url}
    assert (await rosa.put(f"/channels/{channel['id']}/connection", body))[0] == 200
    new = await chat.write("agora")
    await chat.becomes(new, "sent")
    assert (await chat.message(old))["delivery"] is None
    assert (await rosa.post(f"/messages/{old['id']}/retry"))[0] == 202
    await chat.becomes(old, "sent")
    assert meta.texts == ["agora", "antes"]


async def test_disconnecting_gives_back_what_waits(opened, meta, rosa, root):
    chat = await opened()
    meta.script.append(Say(429, {"error": {"code": 4, "message": "slow"}}, {"Retry-After": "60"}))
    waiting = await chat.write("espera")
    await asyncio.sleep(0.5)
    assert (await chat.message(waiting))["delivery"]["state"] == "waiting"
    assert (await rosa.delete(f"/channels/{chat.channel_id}/connection"))[0] == 204
    assert (await chat.message(waiting))["delivery"] is None
    assert [item["id"] for item in (await rosa.post("/messages/claim"))[1]["items"]] == [waiting["id"]]


async def test_a_closed_window_refuses_beforehand(opened, meta, rosa):
    chat = await opened()
    old = await rosa.hears("ontem", "+5511900000099", at=now() - 86_400)
    status, problem = await rosa.post(f"/conversations/{old['conversation_id']}/messages", {"body": "tarde"})
    assert (status, problem["code"], problem["remedy"]) == (409, "window_closed", "use_template")
    assert problem["send_policy"]["kinds"] == ["template"]
    template = {"name": "volte", "language": "pt_BR"}
    late = Chat(rosa, chat.channel_id, old["conversation_id"], chat._ask)
    message = await late.write("", template=template)
    await late.becomes(message, "sent")
    assert meta.seen[0].body["template"]["name"] == "volte"


async def test_what_the_provider_cannot_carry_is_refused_with_its_place(opened, rosa):
    chat = await opened()
    path = f"/conversations/{chat.id}/messages"
    status, problem = await rosa.post(path, {"body": "x", "subject": "y"})
    assert (status, problem["errors"][0]["pointer"], problem["errors"][0]["code"]) == (422, "/subject", "unsupported")


async def test_a_scheduled_message_is_sent_once_when_its_time_has_come(opened, meta, root):
    chat = await opened()
    message = await chat.write("Lembrete", scheduled_at="2027-03-01T12:00:00Z")
    await asyncio.sleep(0.3)
    assert meta.seen == []
    await root.execute("update messages set due_at = now() where message_id = $1", message["id"])
    await chat.becomes(message, "sent")
    await asyncio.sleep(1.2)
    assert meta.texts == ["Lembrete"]


async def test_a_reply_calls_off_what_was_scheduled(opened, rosa):
    chat = await opened()
    message = await chat.write("Você viu?", scheduled_at="2027-03-01T12:00:00Z")
    await rosa.post("/webhooks/whatsapp", whatsapp("Vi", at=now()))
    gone = await chat.becomes(message, "cancelled")
    assert gone["error"]["code"] == "cancelled_by_reply"


async def test_reading_and_typing_are_shown_where_the_shop_wants_it(opened, meta, rosa, eventually):
    chat = await opened(mark_read=True)
    await rosa.post(f"/conversations/{chat.id}/read")
    (read,) = await eventually(lambda: asyncio.sleep(0, meta.seen))
    assert (read.body["status"], "typing_indicator" in read.body) == ("read", False)
    assert (await rosa.post(f"/conversations/{chat.id}/typing")) == (202, {})
    seen = await eventually(lambda: asyncio.sleep(0, meta.seen), lambda found: len(found) == 2)
    assert seen[1].body["typing_indicator"] == {"type": "text"}


async def test_a_rule_obeys_the_policy_and_says_so(opened, meta, rosa, eventually):
    await opened()
    await rosa.made("/rules", {"text": "Se a mensagem contém 'preço', responda 'Já vejo'"})
    await rosa.hears("qual o preço?", "+5511900000055", at=now() - 2 * 86_400)
    (event,) = await eventually(lambda: rosa.events("rule.matched"))
    assert event["payload"]["actions"][0]["refused"] == "window_closed"
    assert meta.seen == []


async def test_no_secret_leaves_with_an_error(opened, meta):
    chat = await opened()
    meta.script.append(Say(400, {"error": {"code": 131051, "message": "token s3cr3t-token is bad"}}))
    failed = await chat.becomes(await chat.write("x"), "failed")
    assert "s3cr3t" not in str(failed)


async def test_another_way_to_write_the_number_is_noted(opened, meta, rosa, eventually):
    chat = await opened("+5511988887777")
    answer = {"contacts": [{"input": "x", "wa_id": "551188887777"}], "messages": [{"id": "wamid.ninth"}]}
    meta.script.append(Say(200, answer))
    await chat.becomes(await chat.write("Oi"), "sent")
    _, conversation = await rosa.get(f"/conversations/{chat.id}")

    async def identities():
        _, contact = await rosa.get(f"/contacts/{conversation['contact']['id']}")
        return {each["value"] for each in contact["identities"]}

    assert await eventually(identities, lambda found: len(found) == 2) == {"+5511988887777", "+551188887777"}
