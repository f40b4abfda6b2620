"""Plays a workflow of n8n as far as the examples need it, so that its requests reach a real service."""

import asyncio
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any

# As a real HTTP Request node 4.2 sends them.
SENT_ALONG = {
    "User-Agent": "n8n",
    "Accept": "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7",
    "Accept-Encoding": "gzip, compress, deflate",
    "Connection": "close",
}
_STEP = re.compile(r"\.(\w+)|\['([^']+)'\]|\[(\d+)\]")
_ROOT = re.compile(r"\$json|\$\('([^']+)'\)\.(?:item|first\(\))\.json")


@dataclass(frozen=True)
class Item:
    """`past` has the JSON of each node that it came through."""

    json: Any
    raw: bytes = b""
    past: dict[str, Any] = field(default_factory=dict)

    def become(self, value):
        return Item(value, self.raw, self.past)


class NodeFailed(Exception):
    """The execution ends red; the message is what its user reads."""


class Play:
    """One execution. `stand_ins` play the nodes that are not ours: a function of the item, by the node's name."""

    def __init__(self, workflow, person, stand_ins=None):
        self.nodes = {node["name"]: node for node in workflow["nodes"]}
        self.connections = workflow["connections"]
        self.person, self.stand_ins = person, stand_ins or {}
        self.requests = []

    async def start(self, value, raw=b""):
        (trigger,) = [name for name, node in self.nodes.items() if is_trigger(node)]
        await self._follow(trigger, [[Item(value, raw)]])
        return self

    def answers(self, path):
        """What was answered to the calls of a path, in their order."""
        return [answer for _, called, _, answer in self.requests if called.partition("?")[0] == path]

    async def _follow(self, name, outputs):
        """Branches run one after the other, the upper one to its end first."""
        targets = self.connections.get(name, {"main": []})["main"]
        pairs = [(link["node"], items) for items, links in zip(outputs, targets, strict=False) for link in links]
        for target, items in sorted(pairs, key=lambda pair: self.nodes[pair[0]]["position"][1]):
            if items:
                told = [Item(item.json, item.raw, {**item.past, name: item.json}) for item in items]
                await self._follow(target, await self._run(self.nodes[target], told))

    async def _run(self, node, items):
        name, parameters = node["name"], node["parameters"]
        if name in self.stand_ins:
            return await self._played(node, items)
        match node["type"].removeprefix("n8n-nodes-base."):
            case "set":
                fields = {one["name"]: one["stringValue"] for one in parameters["fields"]["values"]}
                return [[item.become({**item.json, **fields}) for item in items]]
            case "crypto":
                return [[item.become({**item.json, "signature": _signature(parameters, item)}) for item in items]]
            case "splitOut":
                path = parameters["fieldToSplitOut"]
                return [[item.become(one) for item in items for one in item.json[path]]]
            case "if":
                passed = [_passes(parameters["conditions"], item) for item in items]
                return [
                    [item for item, does in zip(items, passed, strict=True) if does is wanted]
                    for wanted in (True, False)
                ]
            case "stopAndError":
                raise NodeFailed(parameters["errorMessage"])
            case "httpRequest":
                return [list(await asyncio.gather(*(self._request(node, item) for item in items)))]
        raise AssertionError(f"{name} needs a stand-in")

    async def _played(self, node, items):
        outputs = [[], []]
        for item in items:
            try:
                answers = self.stand_ins[node["name"]](item)
                outputs[0] += [item.become(answer) for answer in answers]
            except NodeFailed as error:
                if node.get("onError") != "continueErrorOutput":
                    raise
                outputs[1].append(item.become({"error": {"message": str(error)}}))
        return outputs

    async def _request(self, node, item):
        parameters, headers = node["parameters"], dict(SENT_ALONG)
        headers |= {name: str(value) for name, value in _named(parameters.get("headerParameters"), item).items()}
        body = None
        if parameters.get("sendBody"):
            headers["Content-Type"] = "application/json"
            fields = _named(parameters.get("bodyParameters"), item)
            body = value_of(parameters["jsonBody"], item) if "jsonBody" in parameters else json.dumps(fields)
        query = {name: str(value) for name, value in _named(parameters.get("queryParameters"), item).items()}
        url = value_of(parameters["url"], item)
        status, _, raw = await self.person.call(parameters["method"], url, data=body, headers=headers, **query)
        answer = json.loads(raw) if raw else {}
        self.requests.append((parameters["method"], url.partition("/api/v1")[2], body, answer))
        if status >= 400:
            raise NodeFailed(answer["detail"])
        return item.become(answer)


def is_trigger(node):
    return node["type"].endswith("Trigger") or node["type"] == "n8n-nodes-base.webhook"


def posted(raw, headers=None):
    """What the Webhook node 2 makes of a post: the item, and the bytes that *Raw Body* keeps."""
    lower = {name.lower(): value for name, value in (headers or {}).items()}
    wrapper = {"headers": lower, "params": {}, "query": {}, "body": json.loads(raw)}
    return {**wrapper, "webhookUrl": "http://localhost:5678/webhook/example", "executionMode": "production"}, raw


def value_of(text, item):
    """A parameter's value: text, or an expression; one that is nothing but `{{ }}` keeps its type."""
    if not isinstance(text, str) or not text.startswith("="):
        return text
    whole = re.fullmatch(r"=\{\{ ((?:(?!\}\}).)+) \}\}", text)
    if whole:
        return _term(whole[1], item)
    return re.sub(r"\{\{ (.+?) \}\}", lambda found: str(_term(found[1], item)), text[1:])


def roots_of(text):
    """The nodes that the expressions of a text name."""
    return set(re.findall(r"\$\('([^']+)'\)", text))


def _term(term, item):
    if " || " in term:
        return next((value for each in term.split(" || ") if (value := _term(each, item))), None)
    if term.isdigit():
        return int(term)
    stringified = re.fullmatch(r"JSON\.stringify\((.+)\)", term)
    if stringified:
        return json.dumps(_term(stringified[1], item))
    root = _ROOT.match(term)
    assert root, f"{term} is more than the player knows"
    value, rest = (item.past[root[1]] if root[1] else item.json), term[root.end() :]
    assert re.fullmatch(f"(?:{_STEP.pattern})*", rest), term
    for name, quoted, number in _STEP.findall(rest):
        if (name, type(value)) == ("length", list):
            value = len(value)
        elif number:
            value = value[int(number)]
        else:
            value = value.get(name or quoted) if value is not None else None
    return value


def _named(collection, item):
    return {one["name"]: value_of(one["value"], item) for one in (collection or {"parameters": []})["parameters"]}


def _signature(parameters, item):
    assert (parameters["action"], parameters["type"], parameters["encoding"]) == ("hmac", "SHA256", "hex")
    return hmac.digest(value_of(parameters["secret"], item).encode(), item.raw, "sha256").hex()


def _passes(conditions, item):
    results = [_holds(one, item) for one in conditions["conditions"]]
    return any(results) if conditions["combinator"] == "or" else all(results)


def _holds(condition, item):
    left, right = value_of(condition["leftValue"], item), value_of(condition["rightValue"], item)
    match condition["operator"]["operation"]:
        case "equals":
            return left == right
        case "false":
            return left is False
        case "gt":
            return left > right
    raise AssertionError(condition)
