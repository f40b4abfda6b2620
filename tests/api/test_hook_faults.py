"""Hooks while PostgreSQL is away, and with bodies that are too large or too many."""

import asyncio
import contextlib
import io
import json
import re
from urllib.parse import unquote

from tests import signers
from tests.api.hooked import APP, JSON, hooked
from tests.conftest import serving
from tests.people import Person, whatsapp


async def test_bodies_are_bounded(rosa):
    hook = await hooked(rosa)
    status, _, body = await hook.post(b"x" * 200_001, JSON)
    assert (status, json.loads(body)["code"]) == (413, "too_large")
    hook = await hooked(rosa, "email", inbound={"provider": "mail"})
    raw = b"From: a@example.com\r\nMessage-ID: <big@x>\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n"
    raw += b"x" * 5_000_000
    assert (await hook.post(io.BytesIO(raw), {"Content-Type": "message/rfc822"}))[0] == 200
    assert (await hook.post(io.BytesIO(b"x" * 6_000_001), {"Content-Type": "text/plain"}))[0] == 413


class Wire:
    """Between a service and PostgreSQL, to be cut."""

    def __init__(self, dsn, folder):
        self.socket = re.search(r"host=([^&]+)", dsn)[1]
        self.dsn, self.folder, self.ends = dsn.replace(self.socket, str(folder)), folder, set()
        self.server = None

    async def join(self):
        self.server = await asyncio.start_unix_server(self._through, self.folder / ".s.PGSQL.5432")

    async def cut(self):
        self.server.close()
        for end in self.ends:
            end.transport.abort()
        (self.folder / ".s.PGSQL.5432").unlink(missing_ok=True)

    async def _through(self, reader, writer):
        there, back = await asyncio.open_unix_connection(f"{unquote(self.socket)}/.s.PGSQL.5432")
        self.ends |= {writer, back}
        await asyncio.gather(self._copy(reader, back), self._copy(there, writer))

    @staticmethod
    async def _copy(source, target):
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                target.write(data)
        target.transport.abort()


async def test_while_postgresql_is_away_the_answer_is_503_and_nothing_is_lost(cluster, http, tmp_path):
    wire = Wire(cluster.app(cluster.copy()), tmp_path)
    await wire.join()
    async with serving(wire.dsn, private_targets="127.0.0.0/8") as address:
        rosa = await Person.sign_up(http, address, "Rosa")
        hook = await hooked(rosa)
        assert (await hook.posts(whatsapp("antes", id="wamid.1")))[0] == 200
        await wire.cut()
        raw = json.dumps(whatsapp("durante", id="wamid.2")).encode()
        status, headers, body = await hook.post(raw, JSON | signers.meta(raw, APP))
        assert (status, json.loads(body)["code"]) == (503, "database_unavailable")
        assert headers["Retry-After"]
        await wire.join()
        assert (await hook.posts(whatsapp("durante", id="wamid.2")))[0] == 200
        (conversation,) = await rosa.conversations()
        assert len(await rosa.messages(conversation["id"])) == 2
    await wire.cut()


async def test_few_large_bodies_at_a_time(cluster, database, http):
    async with serving(cluster.logins(database), private_targets="127.0.0.0/8", request_deadline=20) as address:
        people = [await Person.sign_up(http, address, name) for name in ("Ana", "Bruno", "Clara")]
        hooks_of = [await hooked(person, "email", inbound={"provider": "mail"}) for person in people]
        go_on = asyncio.Event()

        async def mail(number):
            yield f"From: a@example.com\r\nTo: b@example.com\r\nMessage-ID: <{number}@x>\r\n".encode()
            yield b"Content-Type: application/pdf; name=a.pdf\r\n\r\n" + b"x" * 4_400_000
            await go_on.wait()
            yield b"end"

        plain = {"Content-Type": "message/rfc822"}
        first = [asyncio.create_task(hook.post(mail(n), plain)) for n in range(2) for hook in hooks_of[:2]]
        await asyncio.sleep(0.6)
        status, headers, body = await hooks_of[2].post(mail(9), plain)
        assert (status, json.loads(body)["code"]) == (503, "busy")
        assert headers["Retry-After"]
        assert (await hooks_of[2].post(b"From: a@example.com\r\nMessage-ID: <s@x>\r\n\r\nsmall", plain))[0] == 200
        go_on.set()
        assert {status for status, _, _ in await asyncio.gather(*first)} == {200}
        assert (await hooks_of[2].post(mail(10), plain))[0] == 200
