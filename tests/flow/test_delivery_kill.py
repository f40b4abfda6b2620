"""Processes that die or come in pairs: chats are never written to twice, mails at least once, nothing is lost."""

import asyncio
import contextlib
import signal
from collections import Counter

import aiohttp
import pytest
from aiosmtpd.smtp import SMTP

from bench.peers import Say, peer
from tests.api.connecting import body_of, connected
from tests.conftest import SECRET, serving
from tests.flow.commands import Process
from tests.flow.conftest import now
from tests.flow.test_delivery_providers import Mailbox
from tests.people import Person

ENDED = {"sent", "delivered", "read", "failed"}


FAST = {
    "secret_key": SECRET,
    "private_targets": "127.0.0.0/8",
    "delivery_timeout": "0.5",
    "delivery_backoff": "0.1,0.1,0.1,0.1,0.1,0.1,0.1",
}


@pytest.fixture
def dsn(cluster):
    """A database of its own."""
    return cluster.app(cluster.copy())


@pytest.fixture
def start(dsn, tmp_path_factory):
    """Starts services that can be killed; what is left of them is killed at the end."""
    home, begun = tmp_path_factory.mktemp("home"), []

    async def begin(**more):
        settings = FAST | {"database_url": dsn, "home": str(home), "jwt_secret": SECRET} | more
        process = await Process.fork("serve", **{f"ALFRED_{name.upper()}": value for name, value in settings.items()})
        begun.append(process)
        return process, await process.address()

    yield begin
    for process in begun:
        process.signal(signal.SIGKILL)


@pytest.fixture
async def take_over(dsn):
    """Starts a service that is not to be killed, in this process: that is faster."""
    async with contextlib.AsyncExitStack() as stack:

        async def begin(**more):
            return await stack.enter_async_context(serving(dsn, **FAST | more))

        yield begin


async def write_many(person, conversations, each, label=""):
    """Messages of every conversation, side by side; those that were taken, by their text."""
    written = {}

    async def write(conversation, number):
        with contextlib.suppress(aiohttp.ClientError, OSError, AssertionError):
            body = f"{conversation[-6:]} {number}{label}"
            message = await person.made(f"/conversations/{conversation}/messages", {"body": body})
            written[body] = message["id"]

    for number in range(each):
        await asyncio.gather(*(write(conversation, number) for conversation in conversations))
    return written


async def many_enough(seen):
    """Some have arrived, and more are on their way."""
    async with asyncio.timeout(60):
        while len(seen) < 5:  # noqa: ASYNC110 a list that another task fills
            await asyncio.sleep(0.005)


async def settled(person, ids, seconds=60):
    """How each message ended: its status, or `unknown`."""
    ends = {}
    async with asyncio.timeout(seconds):
        while len(ends) < len(ids):
            for message_id in ids - ends.keys():
                _, message = await person.get(f"/messages/{message_id}")
                if message["status"] in ENDED:
                    ends[message_id] = message["status"]
                elif (message["delivery"] or {}).get("state") == "unknown":
                    ends[message_id] = "unknown"
            await asyncio.sleep(0.1)
    return ends


async def chats(person, base_url, many):
    await connected(person, base_url=base_url, options={"rate_per_second": 80})
    entries = [await person.hears("Oi", f"+551190000{n:04}", at=now()) for n in range(many)]
    return [entry["conversation_id"] for entry in entries]


async def test_a_killed_service_writes_to_nobody_twice(start, take_over, http):
    async with peer() as meta:
        process, address = await start()
        ana = await Person.sign_up(http, address, "Ana")
        conversations = await chats(ana, meta.base_url, 15)
        writing = asyncio.create_task(write_many(ana, conversations, 4))
        await many_enough(meta.seen)
        process.signal(signal.SIGKILL)
        await process.ends()
        written = await writing
        ana.address = await take_over()
        written |= await write_many(ana, conversations[:3], 1, " after")
        ends = await settled(ana, set(written.values()))
        assert set(ends.values()) <= {"sent", "unknown"}
        assert max(meta.counts().values()) == 1
        sent = {text for text, message_id in written.items() if ends[message_id] == "sent"}
        assert sent <= meta.counts().keys()


async def test_two_services_share_the_work(start, take_over, http):
    async with peer() as meta:
        patient = {"delivery_timeout": "20"}
        (_, first), second = await start(**patient), await take_over(**patient)
        ana = await Person.sign_up(http, first, "Ana")
        bea = Person(http, second, ana.session)
        conversations = await chats(ana, meta.base_url, 10)
        one, two = await asyncio.gather(
            write_many(ana, conversations, 4), write_many(bea, conversations, 4, " by the other")
        )
        ends = await settled(ana, {*one.values(), *two.values()})
        assert Counter(ends.values()) == {"sent": 80}
        assert set(meta.counts().values()) == {1}


async def test_a_service_that_ends_gives_its_calls_time(start, take_over, http):
    async with peer() as meta:
        meta.always = Say(200, {"messages": [{"id": "wamid.slow"}]}, seconds=0.3)
        process, address = await start()
        ana = await Person.sign_up(http, address, "Ana")
        (conversation,) = await chats(ana, meta.base_url, 1)
        message = await ana.made(f"/conversations/{conversation}/messages", {"body": "Até logo"})
        while not meta.seen:  # noqa: ASYNC110 a list that another task fills
            await asyncio.sleep(0.02)
        process.signal(signal.SIGTERM)
        assert await process.ends() == 0
        ana.address = await take_over()
        assert (await settled(ana, {message["id"]})) == {message["id"]: "sent"}
        assert len(meta.seen) == 1


async def test_a_killed_service_loses_no_mail(start, take_over, http):
    mailbox = Mailbox()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(mailbox), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process, address = await start()
    ana = await Person.sign_up(http, address, "Ana")
    smtp = {"host": "127.0.0.1", "port": port, "security": "none", "from_address": "loja@shop.example"}
    channel_id, _ = await connected(ana, "email", body=body_of("email") | {"smtp": smtp})
    conversations = []
    for number in range(10):
        contact = await ana.made("/contacts", {"handle": f"c{number}@example.com", "channel_type": "email"})
        where = {"contact_id": contact["id"], "channel_id": channel_id}
        conversations.append((await ana.made("/conversations", where))["id"])
    writing = asyncio.create_task(write_many(ana, conversations, 3))
    await many_enough(mailbox.mails)
    process.signal(signal.SIGKILL)
    await process.ends()
    written = await writing
    ana.address = await take_over()
    ends = await settled(ana, set(written.values()))
    server.close()
    assert set(ends.values()) == {"sent"}
    ids = {}
    for mail in mailbox.mails:
        ids.setdefault(mail.get_content().strip(), set()).add(mail["Message-ID"])
    assert written.keys() <= ids.keys()
    assert all(len(found) == 1 for found in ids.values())
