"""The examples for n8n: whole, without secrets, and what they ask of Alfred works."""

import hmac
import json
import re
from pathlib import Path

import pytest

from tests.n8n_player import NodeFailed, Play, is_trigger, posted, roots_of
from tests.people import Person

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples" / "n8n").glob("*.json"))
API = "http://localhost:8000/api/v1"
KNOWN = {
    *(("webhook", 2), ("scheduleTrigger", 1.2), ("sseTrigger", 1), ("set", 3.2), ("crypto", 1), ("if", 2.2)),
    *(("splitOut", 1), ("httpRequest", 4.2), ("code", 2), ("stopAndError", 1)),
}
# They may be sent twice without a key: a claim hands nothing out twice, an outcome and a message are known again.
_REPEATABLE = re.compile(r"/messages/claim$|/outcome$|/webhooks/\w+$")


def example(name):
    return json.loads((ROOT / "examples" / "n8n" / f"{name}.json").read_text(encoding="utf-8"))


def payload(name):
    return (ROOT / "examples" / "n8n" / "payloads" / f"{name}.json").read_bytes()


def upstream(workflow, name):
    """All nodes that lead to one."""
    before = {source for source, target in links(workflow) if target == name}
    return before.union(*(upstream(workflow, each) for each in before))


def links(workflow):
    return [
        (source, link["node"])
        for source, outputs in workflow["connections"].items()
        for output in outputs["main"]
        for link in output
    ]


each_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def test_there_is_one_for_each_way():
    assert {path.stem for path in EXAMPLES} == {
        *("event_verified", "messages_in", "poll_events", "event_stream", "outbox", "contact_and_task"),
    }


@each_example
def test_its_nodes_are_core_nodes_and_all_of_them_are_reached(path):
    workflow = json.loads(path.read_text(encoding="utf-8"))
    nodes = {node["name"]: node for node in workflow["nodes"]}
    assert len(nodes) == len(workflow["nodes"]) == len({node["id"] for node in workflow["nodes"]})
    kinds = {(node["type"].removeprefix("n8n-nodes-base."), node["typeVersion"]) for node in nodes.values()}
    assert kinds <= KNOWN
    (trigger,) = [name for name, node in nodes.items() if is_trigger(node)]
    assert all(source in nodes and target in nodes for source, target in links(workflow))
    assert {name for name in nodes if trigger not in upstream(workflow, name)} == {trigger}
    for name, node in nodes.items():
        assert roots_of(json.dumps(node["parameters"])) <= upstream(workflow, name), name


@each_example
def test_its_address_stands_once_and_it_holds_no_secret(path):
    text = path.read_text(encoding="utf-8")
    workflow = json.loads(text)
    (trigger,) = [node["name"] for node in workflow["nodes"] if is_trigger(node)]
    assert [target for source, target in links(workflow) if source == trigger] == ["Alfred"]
    (settings,) = [node for node in workflow["nodes"] if node["name"] == "Alfred"]
    fields = {field["name"]: field["stringValue"] for field in settings["parameters"]["fields"]["values"]}
    assert fields["api"] == API
    assert text.count(API) == 1
    hosts = re.findall(r"https?://(?:[^/\"\s]*@)?([^/:\"]+)", text)
    assert set(hosts) == {"localhost"}
    assert not re.search(r"alf_\d|Bearer |whsec_(?!paste)|\$env|require\(", text)
    known = [node["credentials"] for node in workflow["nodes"] if "credentials" in node]
    assert all(one == {"httpBearerAuth": {"id": "alfred", "name": "Alfred"}} for one in known)


@each_example
def test_what_makes_something_carries_a_key_of_its_item(path):
    for node in json.loads(path.read_text(encoding="utf-8"))["nodes"]:
        parameters = node["parameters"]
        ours = node["type"].endswith("httpRequest") and "credentials" in node
        if ours and parameters["method"] == "POST" and not _REPEATABLE.search(parameters["url"]):
            (header,) = parameters["headerParameters"]["parameters"]
            assert header["name"] == "Idempotency-Key"
            assert re.search(r"\{\{ .*id \}\}$", header["value"])


@each_example
def test_it_answers_that_all_went_well_also_where_nothing_was_to_be_done(path):
    """Without `noData` n8n answers 500 where the last node gives no item, and the sender comes again and again."""
    for node in json.loads(path.read_text(encoding="utf-8"))["nodes"]:
        if node["type"].endswith("webhook"):
            assert (node["parameters"]["responseMode"], node["parameters"]["responseData"]) == ("lastNode", "noData")


@each_example
def test_it_has_a_section_and_a_payload(path):
    told = (ROOT / "docs" / "n8n.md").read_text(encoding="utf-8")
    assert f"(../examples/n8n/{path.name})" in told
    assert f"(../examples/n8n/payloads/{path.name})" in told
    assert json.loads(payload(path.stem))


@pytest.fixture
async def token(ana):
    """Ana, as n8n knows her: by a token with the scopes that the document names."""
    made = await ana.made("/tokens", {"name": "n8n", "scopes": ["read", "write", "webhooks"]})
    person = Person(ana._http, ana.address)
    person.headers = {"Authorization": f"Bearer {made['token']}"}
    return person


def played(name, token, **stand_ins):
    text = json.dumps(example(name)).replace(API, f"{token.address}/api/v1")
    return Play(json.loads(text), token, {key.replace("_", " "): value for key, value in stand_ins.items()})


async def one_message(ana, token):
    """An event as a subscription would send it."""
    _, polled = await token.get("/events", after="")
    await ana.hears("Preciso disso hoje, é urgente!")
    _, page = await token.get("/events", after=polled["after"], type="message.received")
    return page["items"][0]


def signed(raw, secret="whsec_paste-the-secret-of-the-subscription"):
    return {"X-Alfred-Signature": "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()}


async def tasks(ana):
    return (await ana.get("/tasks"))[1]["items"]


async def test_a_verified_event_becomes_one_task_however_often_it_comes(ana, token):
    raw = json.dumps(await one_message(ana, token), ensure_ascii=False).encode()
    for _ in range(2):
        await played("event_verified", token).start(*posted(raw, signed(raw)))
    during_rotation = {**signed(raw, "whsec_new"), "X-Alfred-Signature-Previous": signed(raw)["X-Alfred-Signature"]}
    await played("event_verified", token).start(*posted(raw, during_rotation))
    (task,) = await tasks(ana)
    assert (task["title"], task["description"]) == ("Answer Marina Quintela", "Preciso disso hoje, é urgente!")


async def test_a_test_call_is_verified_and_changes_nothing(token):
    raw = b'{"id":"0190f3a8-7c1e-7d4a-9b1f-2f6f0c9f7a11","type":"ping","data":{}}'
    assert (await played("event_verified", token).start(*posted(raw, signed(raw)))).requests == []


@pytest.mark.parametrize("headers", [{}, {"X-Alfred-Signature": "sha256="}, signed(b"{}"), signed(b"", "x")])
async def test_a_forged_event_makes_the_execution_fail_and_nothing_else(ana, token, headers):
    raw = payload("event_verified")
    play = played("event_verified", token)
    with pytest.raises(NodeFailed, match="signature"):
        await play.start(*posted(raw, headers))
    assert play.requests == []


async def test_of_a_batch_the_urgent_message_becomes_a_task_once(ana, token):
    raw = payload("messages_in")
    for _ in range(2):
        await played("messages_in", token).start(*posted(raw))
    (conversation,) = await ana.conversations()
    assert (await ana.messages(conversation["id"]))[0]["body"].startswith("Preciso")
    (task,) = [task for task in await tasks(ana) if task["title"] == "Answer an urgent message"]
    assert (task["conversation_id"], task["priority"]) == (conversation["id"], "high")


async def test_polling_begins_now_and_then_sees_each_contact_once(ana, token):
    kept = {}

    def where(_item):
        return [{"after": kept.get("after", "")}]

    def keep(item):
        kept.update(after=item.past["Read the events"]["after"])
        return []

    def poll():
        stand_ins = {"Where were we?": where, "Keep_the_place": keep}
        return played("poll_events", token, **stand_ins).start({})

    await ana.made("/contacts", {"name": "Antes", "handle": "+5511900000001"})
    await poll()
    assert await tasks(ana) == []
    await ana.made("/contacts", {"name": "Marina", "handle": "+5511900000012"})
    await ana.made("/contacts", {"name": "Rui", "handle": "+5511900000013"})
    await poll()
    await poll()
    assert sorted(task["title"] for task in await tasks(ana)) == ["Greet Marina", "Greet Rui"]


async def test_the_stream_hears_what_the_example_asks_for(ana, token):
    (trigger,) = [node for node in example("event_stream")["nodes"] if is_trigger(node)]
    query = dict(pair.split("=") for pair in trigger["parameters"]["url"].partition("?")[2].split("&"))
    async with token.following(**query) as frames:
        await ana.hears("Preciso disso hoje, é urgente!")
        frame = await frames.next()
    assert "event" not in frame
    play = await played("event_stream", token).start(frame["data"])
    assert play.answers("/tasks")[0]["title"] == "Answer Marina Quintela now"


async def test_what_waits_is_claimed_sent_and_told(ana, token):
    conversation = (await ana.hears("Bom dia"))["conversation_id"]
    message = await ana.made(f"/conversations/{conversation}/messages", {"body": "Sai hoje às 16h."})
    sent = []

    def send(item):
        sent.append((item.json["contact"]["handle"], item.past["Split out the messages"]["body"]))
        return [{"id": "wamid.sent-1"}]

    for _ in range(2):
        await played("outbox", token, Send_it=send).start({})
    assert sent == [("+5511900000012", "Sai hoje às 16h.")]
    _, shown = await ana.get(f"/messages/{message['id']}")
    assert (shown["status"], shown["external_id"]) == ("sent", "wamid.sent-1")


async def test_what_could_not_be_sent_is_told_too(ana, token):
    conversation = (await ana.hears("Bom dia"))["conversation_id"]
    message = await ana.made(f"/conversations/{conversation}/messages", {"body": "Sai hoje às 16h."})

    def send(_item):
        raise NodeFailed('The gateway says "no"')

    await played("outbox", token, Send_it=send).start({})
    _, shown = await ana.get(f"/messages/{message['id']}")
    assert (shown["status"], shown["error"]["code"]) == ("failed", "outcome_unknown")
    assert shown["error"]["detail"] == 'The gateway says "no"'


async def test_a_form_makes_a_contact_and_a_task_once(ana, token):
    form = json.loads(payload("contact_and_task"))
    for number in ("form-381", "form-381", "form-382"):
        await played("contact_and_task", token).start(*posted(json.dumps(form | {"id": number}).encode()))
    (contact,) = (await ana.get("/contacts"))[1]["items"]
    assert (contact["name"], contact["handle"], contact["email"]) == ("Marina Quintela", "+5511900000012", None)
    assert [task["contact_id"] for task in await tasks(ana)] == [contact["id"]] * 2
