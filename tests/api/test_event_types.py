"""Every type of event is described, and its sample and what is really sent fit the OpenAPI document."""

import json
import typing

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from alfred.events import EventType
from tests.people import Person, delivery


@pytest.fixture(scope="module")
async def valid(http, address):
    """Whether a body fits the schema of its type."""
    _, _, raw = await Person(http, address).call("GET", "/openapi.json")
    document = json.loads(raw)
    registry = Registry().with_resource("urn:api", Resource(document, DRAFT202012))

    def faults(body):
        schema = document["webhooks"][body["type"]]["post"]["requestBody"]["content"]["application/json"]["schema"]
        anchored = {"$ref": "urn:api" + schema["$ref"]}
        return [error.message for error in Draft202012Validator(anchored, registry=registry).iter_errors(body)]

    return faults


async def test_every_type_has_a_description_and_a_sample_of_its_shape(ana, valid):
    status, answer = await ana.get("/event-types")
    assert status == 200
    assert {each["type"] for each in answer["items"]} == {*typing.get_args(EventType), "ping"}
    for each in answer["items"]:
        assert each["description"].endswith(".")
        assert each["sample"]["type"] == each["type"]
        assert valid(each["sample"]) == [], each["type"]


async def test_what_is_told_has_the_shape_of_its_type(ana, valid, eventually):
    entry = await ana.hears("Preciso disso hoje, é urgente, quero desconto", id="in")
    await ana.made("/rules", {"text": "Se a mensagem contém 'desconto', me avise"})
    await ana.hears("desconto?")
    path = f"/conversations/{entry['conversation_id']}"
    await ana.made(f"{path}/messages", {"body": "Olá!", "external_id": "out-types"})
    await ana.post("/webhooks/whatsapp", delivery("out-types", "read"))
    await ana.patch(path, {"status": "pending"})
    task = await ana.made("/tasks", {"title": "Ligar", "conversation_id": entry["conversation_id"]})
    await ana.post(f"/tasks/{task['id']}/complete")
    assert await eventually(lambda: ana.events("rule.matched"))
    _, page = await ana.get("/events", after="beginning", limit=200)
    assert len({each["type"] for each in page["items"]}) >= 9
    for each in page["items"]:
        assert valid(each) == [], each
    await ana.delete(f"/contacts/{entry['contact_id']}")
    _, page = await ana.get("/events", after="beginning", limit=200)
    for each in page["items"]:
        assert valid(each) == [], each
