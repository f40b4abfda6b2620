"""Peers that misbehave for long, and texts that are hard to send: nothing is lost, and each gets a clear word."""

import itertools

import pytest

from bench.peers import Say
from tests.api.connecting import body_of, connected
from tests.api.test_erasure import places_of
from tests.conftest import serving
from tests.flow.conftest import Chat, now
from tests.flow.test_deliveries import error
from tests.flow.test_delivery_providers import chat_on
from tests.people import Person

WORD = "clarinetedesafinado"


async def a_day_later(root, rosa):
    await root.execute(
        "update deliveries set give_up_at = now() - interval '1 s', due_at = now() + interval '1 h' where user_id = $1",
        rosa.id,
    )


@pytest.mark.parametrize(
    ("always", "state", "code"),
    [(error(131016, 500), "failing", "provider_error"), (error(190, 401), "auth_failed", "expired")],
)
async def test_a_gateway_that_fails_for_a_day(opened, meta, rosa, root, eventually, always, state, code):
    chat = await opened()
    meta.always = always
    messages = [await chat.write(f"m{n}") for n in range(2)]
    broken = await eventually(chat.connection, lambda found: found["state"] == state)
    assert broken["state"] == state
    await root.execute(
        """update connections set failing_since = failing_since - interval '6 min'
            where user_id = $1 and failing_since is not null""",
        rosa.id,
    )
    told = await eventually(lambda: rosa.notifications(type="channel_error"))
    assert len(told) == 1
    for message in messages:
        if code == "expired":  # nothing else ends what waits for new credentials
            await a_day_later(root, rosa)
        assert (await chat.becomes(message, "failed"))["error"]["code"] == code
    meta.always = None
    assert (await rosa.post(f"/channels/{chat.channel_id}/connection/test"))[1]["ok"] is True
    await chat.becomes(await chat.write("de volta"), "sent")
    assert (await chat.connection())["state"] == "connected"


async def test_a_template_that_does_not_exist(opened, meta, root):
    chat = await opened()
    meta.script.append(error(132001))
    failed = await chat.becomes(await chat.write("", template={"name": "nenhum", "language": "pt_BR"}), "failed")
    assert (failed["error"]["code"], failed["error"]["remedy"]) == ("template_rejected", "fix_template")
    assert failed["error"]["provider_code"] == "132001"


@pytest.mark.parametrize(
    "body",
    ["x" * 4097, "שלום " * 900, "👨\u200d👩\u200d👧\u200d👦" * 400, "\u202eمرحبا\u202c " * 600, "e\u0301" * 2100],
)
async def test_a_text_that_is_hard_to_cut_arrives_whole(opened, meta, body):
    chat = await opened()
    await chat.becomes(await chat.write(body), "sent")
    assert len(meta.texts) > 1
    assert all(len(text.encode("utf-16-le")) // 2 <= 4096 for text in meta.texts)
    assert "".join("".join(meta.texts).split()) == "".join(body.split())


async def test_an_answer_without_an_end_is_read_up_to_a_bound(opened, meta):
    chat = await opened()
    meta.script.append(Say(200, " " * 8_000_000))
    message = await chat.write("talvez")
    assert (await chat.delivery_is(message, "unknown"))["error"]["code"] == "outcome_unknown"


async def test_who_is_not_answered_waits_again(opened, meta, rosa):
    async def waiting():
        return (await rosa.get(f"/conversations/{chat.id}"))[1]["waiting_since"]

    chat = await opened()
    since = await waiting()
    meta.script.append(error(131026))
    message = await chat.write("não chega")
    await chat.becomes(message, "failed")
    assert since is not None
    assert await waiting() == since
    await rosa.post(f"/messages/{message['id']}/retry")
    await chat.becomes(message, "sent")
    assert await waiting() is None


@pytest.mark.parametrize("provider", ["messenger", "instagram"])
async def test_a_person_answers_for_a_week_and_automation_does_not(provider, rosa, meta, root, eventually):
    chat = await chat_on(rosa, provider, eventually, base_url=meta.base_url, human_agent=True)
    await root.execute(
        "update conversations set last_inbound_at = now() - interval '25 h' where conversation_id = $1", chat.id
    )
    policy = (await rosa.get(f"/conversations/{chat.id}"))[1]["send_policy"]
    assert (policy["state"], policy["human_only"]) == ("open", True)
    path = f"/conversations/{chat.id}/messages"
    status, problem = await rosa.post(path, {"body": "robô", "author": "automation"})
    assert (status, problem["code"]) == (409, "window_closed")
    await chat.becomes(await chat.write("Sou eu, a Rosa"), "sent")
    (seen,) = meta.seen
    assert (seen.body["messaging_type"], seen.body["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    await root.execute(
        "update conversations set last_inbound_at = now() - interval '169 h' where conversation_id = $1", chat.id
    )
    assert (await rosa.post(path, {"body": "tarde"}))[1]["code"] == "window_closed"


async def test_a_pause_lasts_until_its_end_whatever_is_changed(opened, meta, rosa):
    chat = await opened()
    meta.script.append(Say(429, {"error": {"code": 4, "message": "slow"}}, {"Retry-After": "1000"}))
    await chat.delivery_is(await chat.write("devagar"), "waiting")
    until = (await chat._ask(chat.connection, lambda found: found["paused_until"]))["paused_until"]
    path = f"/channels/{chat.channel_id}/connection"
    body = body_of("whatsapp_cloud", meta.base_url, options={"mark_read": True})
    assert (await rosa.put(path, body))[1]["paused_until"] == until
    assert (await rosa.post(f"{path}/test"))[1]["ok"] is True
    assert (await chat.connection())["paused_until"] == until
    assert (await rosa.put(path, body | {"phone_number_id": "109900000000077"}))[1]["paused_until"] is None


async def test_a_dead_channel_is_called_one_at_a_time(cluster, http, meta, eventually):
    slow = {"private_targets": "127.0.0.0/8", "delivery_timeout": 0.5, "delivery_calls": 4}
    meta.always = Say(how="hang")
    async with serving(cluster.app(cluster.copy()), **slow) as address:
        rosa = await Person.sign_up(http, address, "Rosa")
        channel_id, _ = await connected(rosa, base_url=meta.base_url, options={"rate_per_second": 80})
        for n in range(12):
            entry = await rosa.hears("Oi", f"+55119000001{n:02}", at=now())
            await Chat(rosa, channel_id, entry["conversation_id"], None).write(f"m{n}")

        async def seen():
            return len(meta.seen)

        assert await eventually(seen, lambda count: count == 12) == 12
    late = [each.at for each in meta.seen[-3:]]
    assert all(after - before > 0.4 for before, after in itertools.pairwise(late)), late


async def test_an_erased_contact_takes_along_what_was_to_be_sent(opened, meta, rosa, root, eventually):
    await rosa.made("/subscriptions", {"url": "http://127.0.0.1:9/x", "events": ["*"]})
    chat = await opened()
    meta.always = error(190, 401)
    await chat.write(f"{WORD} um")
    await chat.write(f"{WORD} dois")
    wanted = {"deliveries.payload", "webhook_bodies.body", "messages.body"}
    found = await eventually(lambda: places_of(root, WORD), lambda places: wanted <= places)
    assert wanted <= found
    contact = (await rosa.get(f"/conversations/{chat.id}"))[1]["contact"]["id"]
    assert (await rosa.delete(f"/contacts/{contact}"))[0] == 204
    assert await places_of(root, WORD) == set()
