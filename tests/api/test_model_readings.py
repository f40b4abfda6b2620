"""A model from outside reads messages once more: with those of the same turn, and only what is still there."""

import asyncio
import json
import time
from uuid import UUID

import pytest

from alfred.queries import sql
from tests.api.posts import revoke
from tests.api.suggesting import takes
from tests.conftest import serving
from tests.models import a_model
from tests.people import Person


@pytest.fixture(scope="module")
async def model():
    async with a_model() as server:
        yield server


def grave(_):
    return {
        "sentiment": "NEGATIVE", "sentiment_score": -0.8, "urgency": "high", "negotiation": False,
        "should_create_task": True, "intent": "complaint", "confidence": 0.9,
    }  # fmt: skip


@pytest.fixture
async def alone(cluster, http, model):
    """Rosa with a service and a database of her own: the queue is nobody else's."""
    model.modes, model.mode, model.usage = [], "ok", (100, 20)
    async with serving(cluster.app(cluster.copy()), private_targets="127.0.0.0/8") as address:
        yield await Person.sign_up(http, address, "Rosa")


async def test_a_model_reads_messages_once_more(alone, model, eventually):
    rosa = alone
    await takes(rosa, model, features=["refine"])
    model.says = grave
    entry = await rosa.hears("Sou a Marina, veio um pé 37 e outro 39, fone 11912345678")
    assert entry["classification"]["provider"] == "mock"

    events = await eventually(lambda: rosa.events("message.reclassified"))
    assert [event["message_id"] for event in events] == [entry["message_id"]]
    (message,) = await rosa.messages(entry["conversation_id"])
    read = message["classification"]
    assert (read["sentiment"], read["urgency"], read["provider"]) == ("negative", "high", "openai")
    assert read["language"] == entry["classification"]["language"]
    assert [event["payload"] for event in await rosa.events("message.classified")] == [entry["classification"]]
    (conversation,) = await rosa.conversations()
    assert (conversation["sentiment"], conversation["urgency"]) == ("negative", "high")
    told = await eventually(lambda: rosa.notifications(type="urgent_message"))
    assert len(told) == 1
    assert not [hidden for hidden in ("Marina", "11912345678") if hidden in json.dumps(model.bodies)]
    (usage,) = (await rosa.get("/ai/usage"))[1]["items"]
    assert (usage["feature"], usage["calls"], usage["input_tokens"]) == ("refine", 1, 100)


async def test_a_model_reads_a_message_after_those_of_the_same_turn(alone, model, eventually):
    rosa = alone
    entry = await rosa.hears("Oi, adorei a loja", at=int(time.time()) - 60)
    await rosa.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Que bom! O que procura?"})
    await asyncio.sleep(1.1)  # a messenger tells whole seconds
    await rosa.hears("Quero a cadeira azul do João da Silva, fone 11912345678", at=int(time.time()))
    await takes(rosa, model, features=["refine"])
    model.says, model.calls = grave, []
    await rosa.hears("essa também por favor", at=int(time.time()))

    async def asked_of_it():  # the message before it may still be read, if its event was not passed over yet
        questions = [model.asked(at) for at in range(len(model.calls))]
        return [question for question in questions if question["message"] == "essa também por favor"]

    (question,) = await eventually(asked_of_it)
    assert question["earlier_messages"] == ["Quero a cadeira azul do João da Silva, fone {{phone_1}}"]


async def test_a_message_that_was_deleted_meanwhile_is_not_read(ana, app_db):
    entry = await ana.hears("Qual o preço da cadeira?", id="gone")
    about = {"user_id": UUID(ana.id), "message_id": UUID(entry["message_id"])}
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        assert await sql.refinements.to_read.one(app_db, **about)
    await ana.post("/webhooks/whatsapp", revoke("gone"))
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        assert await sql.refinements.to_read.one(app_db, **about) is None
