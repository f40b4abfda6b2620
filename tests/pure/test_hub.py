"""The hub hands out what is new, and ends when it is told to."""

import asyncio

import pytest

from alfred.bus import Bus
from alfred.hub import Hub


@pytest.mark.parametrize("turns", range(6))
async def test_ends_in_the_middle_of_news(turns):
    """A cancellation that comes together with a wake-up is not lost; nobody is connected, so no database either."""
    hub = Hub(None)
    running = asyncio.create_task(hub.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    hub.poke([1])
    for _ in range(turns):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=0.5)
    running.cancel()
    assert done


class Poked(Hub):
    """Notes which buckets it is to look for."""

    def __init__(self):
        super().__init__(None)
        self.buckets = []

    def poke(self, buckets):
        self.buckets.append(buckets)


def test_looks_when_consumers_have_acted_and_not_at_each_commit():
    hub = Poked()
    bus = Bus(None, "", hub)
    bus.announce_buckets([1])
    assert hub.buckets == []
    bus.reader._changed([2])
    bus.bell._heard([3])
    assert hub.buckets == [{2}, [3]]
