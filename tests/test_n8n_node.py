"""The nodes for n8n: they ask for what the API has; and where they are built, they run against it."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import serving
from tests.people import Person

PACKAGE = Path(__file__).resolve().parents[1] / "integrations" / "n8n-nodes-alfred"
NODE = shutil.which("node")


def told_operations():
    """(method, path, fields with their place) of each operation in the table of the action node."""
    text = (PACKAGE / "nodes" / "Alfred" / "operations.ts").read_text(encoding="utf-8")
    shared = dict(re.findall(r"const (\w+Fields) = \[(.*?)\n\];", text, re.DOTALL))
    table = text[text.index("OPERATIONS: Operation[]") :]
    for entry in re.split(r"\n  \{", table[: table.index("\n];")])[1:]:
        whole = re.sub(r"\.\.\.(\w+Fields)", lambda found: shared[found[1]], entry)
        method, path = re.search(r"method: '(\w+)', path: '([^']+)'", whole).groups()
        if "wholeBody" not in whole:
            yield method.lower(), path, re.findall(r"\b(id|query|body)\('(\w+)'", whole)


async def test_each_operation_and_field_of_the_node_is_one_of_the_api(http, address):
    _, document = await Person(http, address).get("/openapi.json")
    paths = {path.removeprefix("/api/v1"): item for path, item in document["paths"].items()}
    operations = list(told_operations())
    assert len(operations) > 20
    for method, path, fields in operations:
        operation = paths[path][method]
        known = {each["name"] for each in operation.get("parameters", []) if each["in"] == "query"}
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            name = schema.get("$ref", "").rpartition("/")[2]
            known |= set((document["components"]["schemas"][name] if name else schema)["properties"])
        assert {name for place, name in fields if place != "id"} - known == set(), (method, path)
        assert {name for place, name in fields if place == "id"} == set(re.findall(r"\{(\w+)\}", path))


@pytest.mark.skipif(not NODE or not (PACKAGE / "dist").is_dir(), reason="the nodes are not built here")
async def test_the_built_nodes_run_against_the_service(cluster, database, http):
    async with serving(cluster.logins(database), private_targets="127.0.0.0/8") as address:
        ana = await Person.sign_up(http, address)
        made = await ana.made("/tokens", {"name": "n8n", "scopes": ["read", "write", "webhooks", "subscriptions"]})
        words = (f"{address}/api/v1", made["token"], "http://127.0.0.1:9/webhook/1")
        script = PACKAGE / "test" / "against.js"
        run = await asyncio.create_subprocess_exec(NODE, script, *words, stdout=asyncio.subprocess.PIPE)
        raw, _ = await run.communicate()
        assert run.returncode == 0
        out = json.loads(raw)
        assert (await ana.get("/subscriptions"))[1]["items"] == []
    assert out["once"] is True
    assert out["contact"]["settings"]["vip"] is True
    assert sorted(out["tasks"]) == ["dois", "três", "um"]
    assert (out["completed"]["status"], out["deleted"]) == ("done", [{"deleted": True}])
    assert "due_date" in out["refused"][0]["error"]
    assert (out["taken"]["classification"]["urgency"], out["tagged"]["tags"]) == ("high", ["n8n"])
    assert (len(out["claimed"]), out["sent"]["status"], out["messages"]) == (1, "sent", 2)
    assert out["read"]["negotiation"] is True
    assert out["reply"]["reply"]
    assert (len(out["poll"]["items"]), out["poll"]["has_more"], out["events"]) == (3, True, 1)
    assert out["trigger"] == [False, True, True, True, True, True, False]
    assert out["types"] > 15
