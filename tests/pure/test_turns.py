"""Turns and queues: a few at a time, key by key, known ones first, and nobody's turn is lost."""

import asyncio

import pytest

from alfred.turns import QueueInTurn, TooBusy, Turns


async def order_of(turns, comers):
    """In which order those who come at once are served, when one is served at a time."""
    served = []

    async def come(name, key, known):
        async with turns.turn(key, known=known):
            served.append(name)

    async with turns.turn("first"):
        tasks = [asyncio.create_task(come(*comer)) for comer in comers]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    return served


async def test_keys_take_turns():
    flood = [(f"flood{number}", "a", False) for number in range(4)]
    others = [("guest", "b", False), ("friend", "c", False)]
    assert await order_of(Turns(1, 10), [*flood, *others]) == [
        "flood0",
        "guest",
        "friend",
        "flood1",
        "flood2",
        "flood3",
    ]


async def test_the_known_go_first():
    flood = [(f"flood{number}", number, False) for number in range(3)]
    assert (await order_of(Turns(1, 10), [*flood, ("ana", "z", True)]))[0] == "ana"


async def test_who_leaves_gives_the_turn_away():
    turns = Turns(1, 10)
    async with turns.turn("a"):
        tasks = [asyncio.create_task(turns.turn(key).__aenter__()) for key in "bc"]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
    assert await asyncio.wait_for(tasks[1], 1) is None


async def test_a_turn_that_comes_too_late_is_passed_on():
    turns = Turns(1, 10)
    async with turns.turn("a"):
        late = asyncio.create_task(turns.turn("b").__aenter__())
        await asyncio.sleep(0)
    late.cancel()  # its turn has come, and it does not know yet
    with pytest.raises(asyncio.CancelledError):
        await late
    async with asyncio.timeout(1), turns.turn("c"):
        pass


async def test_too_many_are_sent_away():
    turns = Turns(1, 1)
    async with turns.turn("a"):
        waiting = asyncio.create_task(turns.turn("b").__aenter__())
        await asyncio.sleep(0)
        with pytest.raises(TooBusy):
            await turns.turn("c").__aenter__()
    await waiting


async def test_a_queue_is_emptied_key_by_key():
    queue = QueueInTurn[str](lambda item: item[0])
    for item in ("a1", "a2", "a3", "b1", "c1", "b2"):
        queue.put_nowait(item)
    assert queue.qsize() == 6
    assert [queue.get_nowait() for _ in range(5)] == ["a1", "b1", "c1", "a2", "b2"]
    queue.put_nowait("d1")
    assert [queue.get_nowait() for _ in range(2)] == ["a3", "d1"]
    assert queue.empty()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put_nowait("e1")
    assert await waiting == "e1"
