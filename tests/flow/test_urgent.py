"""What is urgent waits for no look at the log, and loses nothing by it."""

import asyncpg
import pytest

from alfred.hub import Hub
from alfred.reader import Reader
from tests.conftest import serving
from tests.people import Person

URGENT = "Preciso disso hoje, é urgente!"


class Resting(Reader):
    rest_seconds = 60.0


class Waiting(Hub):
    sweep_seconds = 60.0


@pytest.fixture
async def resting(monkeypatch, cluster, http):
    """Ana, whose service looks at the log a few times and then rests for a minute; a superuser of its database."""
    monkeypatch.setattr("alfred.bus.Reader", Resting)  # of this service alone: others of this process go on
    monkeypatch.setattr("alfred.assembly.Hub", Waiting)
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address, "Ana")
        for number in range(6):
            await ana.hears(f"Bom dia {number}")
        yield ana, superuser
    await superuser.close()


async def test_it_is_told_between_two_looks(resting):
    ana, _ = resting
    async with ana.listening() as frames:
        for text in (URGENT, "Socorro, é urgente!"):
            entry = await ana.hears(text)
            assert (await frames.next())["data"]["conversation_id"] == entry["conversation_id"]


async def test_what_another_process_made_comes_before_it(resting):
    ana, superuser = resting
    async with ana.listening() as frames:
        await superuser.execute(
            """insert into notifications (user_id, type, dedupe_key, title)
               select user_id, 'rule_match', 'x', 'Elsewhere' from users"""
        )
        await ana.hears(URGENT)
        titles = [(await frames.next())["data"]["title"] for _ in range(2)]
    assert titles[0] == "Elsewhere"
    assert titles[1].startswith("Mensagem urgente")


async def test_a_stream_that_opens_meanwhile_has_it_at_once(resting, eventually):
    ana, superuser = resting
    await ana.hears("Socorro, é urgente!")
    await eventually(ana.notifications)
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.fetch("select from contacts for update")  # what is told waits for its contact
    await ana.hears(URGENT)
    async with ana.listening() as frames:
        await transaction.rollback()
        assert (await frames.next())["data"]["body"] == URGENT
