"""An answer that fails when it has begun is broken off."""

import aiohttp
import asyncpg
import pytest

from alfred.api import event_stream


async def away(*_):
    raise asyncpg.CannotConnectNowError("the database system is starting up")


async def read_all(frames):
    while await frames.next(5):
        pass


async def test_a_stream_that_cannot_go_on_breaks_off_and_is_resumed(ana, monkeypatch):
    """No problem is written into it, where a client waits for a frame's end, and the line is closed."""
    async with ana.following() as frames:
        await ana.hears("oi")
        last = (await frames.next())["id"]
        with monkeypatch.context() as patched:
            patched.setattr(event_stream, "bodies", away)
            await ana.hears("de novo")
            with pytest.raises(aiohttp.ClientPayloadError):
                await read_all(frames)
    async with ana.following(last_event_id=last) as frames:
        messages = 0
        while messages < 2:  # other events may come between them
            messages += (await frames.next())["event"] == "message.received"
