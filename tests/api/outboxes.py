"""A conversation in which one writes, and what waits there to go out."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest


@pytest.fixture
async def chat(ana):
    """A conversation in which the customer has just written."""
    return await opened(ana)


async def opened(person, sender="+5511900000012"):
    now = int(datetime.now(UTC).timestamp())
    return (await person.hears("Oi", sender, at=now))["conversation_id"]


def later(**delta):
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


async def write(person, conversation, body="Olá!", **more):
    return await person.made(f"/conversations/{conversation}/messages", {"body": body, **more})


async def claim(person, **wish):
    status, answer = await person.post("/messages/claim", wish)
    assert status == 200, answer
    return answer["items"]


async def shown(person, message):
    return (await person.get(f"/messages/{message['id']}"))[1]


async def lapse(root, message, column="due_at"):
    """Its lease, its moment or its day is over."""
    await root.execute(
        f"update messages set {column} = now() - interval '1 second' where message_id = $1", message["id"]
    )


@pytest.fixture
async def root(cluster, database):
    connection = await asyncpg.connect(cluster.superuser(database))
    yield connection
    await connection.close()
