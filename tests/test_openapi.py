"""The OpenAPI document is valid and complete, and can be read with no internet access."""

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from alfred.app import build
from alfred.http.openapi_schemas import CLOSED_SETS
from alfred.logins import Logins
from alfred.settings import Settings
from tests.conftest import SECRET
from tests.people import Person

METHODS = {"get", "post", "put", "patch", "delete"}
PUBLIC = {"/health", "/health/ready", "/auth/register", "/auth/login", "/auth/refresh", "/auth/logout"}
BY_COOKIE = {"/session", "/session/refresh"}


@pytest.fixture(scope="module")
async def document(http, address):
    status, headers, raw = await Person(http, address).call("GET", "/openapi.json")
    assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
    return json.loads(raw)


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield path, method, operation


async def test_is_valid(document):
    assert document["openapi"].startswith("3.1")
    assert [*map(str, OpenAPIV31SpecValidator(document).iter_errors())] == []


async def test_who_refuses_unknown_parameters_says_so(document):
    without = {path for path, _, operation in operations(document) if "422" not in operation["responses"]}
    assert {path for path in without if not path.startswith(("/webhooks/{", "/hooks/"))} == set()


# What people read, rather than clients.
_PAGES = ("/api/v1/docs", "/api/v1/openapi.json", "/web/", "/favicon.ico")


async def test_every_route_is_in_it(document):
    app = build(Settings(jwt_secret=SECRET, secret_key=SECRET), Logins("postgresql:///none"), "postgresql:///none")
    routes = {
        (route.resource.canonical.removeprefix("/api/v1"), route.method.lower())
        for route in app.router.routes()
        if route.method != "HEAD"
        and "{tail}" not in route.resource.canonical
        and not route.resource.canonical.startswith(_PAGES)
    }
    routes -= {("/", "get"), ("/webhooks/{channel_type}{tail}", "post")}
    told = {(path.removeprefix("/api/v1"), method) for path, method, _ in operations(document)}
    assert told == routes
    assert len(told) > 60


async def test_every_operation_has_a_name_of_its_own(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert sorted(names) == sorted(set(names))
    for path, _, operation in operations(document):
        assert operation["summary"].strip(), path
        assert operation["tags"], path


VERBS = (
    "Add|Cancel|Change|Check|Claim|Classify|Compile|Complete|Create|Delete|Download|Exchange|Export|Find|Get|Import|"
    "List|Log|Mark|Merge|Poll|Preview|Read|Receive|Record|Remove|Replace|Replay|Report|Retry|Revoke|Rotate|Run|Send|"
    "Show|Simulate|Store|Stream|Suggest|Test|Undo|Update|Upload|Validate|Verify"
)


async def test_every_operation_id_names_its_noun_and_every_summary_what_the_call_does(document):
    """A bare verb ("mark", "receive") tells a reader of a generated client nothing; neither does a metaphor."""
    for path, method, operation in operations(document):
        assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"]), (method, path)
        assert re.fullmatch(rf"(?:{VERBS})\b.*\.", operation["summary"]), (method, path, operation["summary"])
        assert len(operation["summary"]) <= 90, (method, path)


async def test_every_body_and_answer_has_an_example(document):
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        contents = [*operation.get("requestBody", {}).get("content", {}).items()][:1]
        for status, answer in operation["responses"].items():
            if status.startswith("2") and status != "204":
                assert answer.get("content"), where
                contents += answer["content"].items()
        for kind, content in contents:
            assert "example" in content or "examples" in content, (where, kind)


async def test_every_operation_tells_its_errors(document):
    problem = {"$ref": "#/components/schemas/ProblemDetails"}
    for path, method, operation in operations(document):
        where = f"{method} {path}"
        responses = operation["responses"]
        public = path.removeprefix("/api/v1") in PUBLIC | BY_COOKIE
        assert ("401" in responses or public) or path.startswith("/api/v1/hooks"), where
        if operation.get("requestBody") and "/webhooks" not in path:
            assert {"400", "413", "415", "422"} <= responses.keys(), where
        if "{" in path:
            assert "404" in responses, where
        for status, answer in responses.items():
            if status[0] in "45" and path != "/api/v1/health/ready":
                assert answer["content"]["application/problem+json"]["schema"] == problem, where


async def test_everything_but_the_public_needs_a_token(document):
    assert {"bearer", "basic"} <= document["components"]["securitySchemes"].keys()
    for path, _, operation in operations(document):
        if path.removeprefix("/api/v1") in PUBLIC:
            assert operation["security"] == []
        elif path.removeprefix("/api/v1") in BY_COOKIE:
            assert operation["security"] == [] or {"session": []} in operation["security"], path
        elif not path.startswith("/api/v1/hooks"):
            assert {"bearer": []} in operation["security"], path


async def test_every_filter_is_told(document):
    def parameters(path, method="get"):
        return {each["name"] for each in document["paths"][f"/api/v1{path}"][method]["parameters"]}

    page = {"limit", "cursor"}
    found = {"status", "channel", "unread_only", "q", "sentiment", "urgency", "tag", "contact_id"}
    found |= {"needs_reply", "negotiation", "sort"}
    assert parameters("/conversations") == found | page
    assert parameters("/contacts") == {"q", "vip", "channel", "opted_out"} | page
    assert parameters("/channels") == page
    assert parameters("/notifications") == {"seen", "type"} | page
    assert parameters("/events") == {"type", "conversation_id", "after", "wait"} | page
    assert parameters("/conversations/{conversation_id}/messages") == {"conversation_id", "around", "after"} | page
    assert {"status", "priority", "conversation_id", "contact_id", "overdue", "due_before", "due_after"} <= parameters(
        "/tasks"
    )
    limit = next(each for each in document["paths"]["/api/v1/events"]["get"]["parameters"] if each["name"] == "limit")
    assert (limit["schema"]["minimum"], limit["schema"]["maximum"], limit["schema"]["default"]) == (1, 200, 50)


async def test_answers_are_as_the_document_says(document, http, address):
    """The fields of what is answered are exactly those of the models."""
    ana = await Person.sign_up(http, address)
    entry = await ana.hears("oi")

    def fields(model):
        return set(document["components"]["schemas"][model]["properties"])

    (conversation,) = await ana.conversations()
    (message,) = await ana.messages(entry["conversation_id"])
    _, contact = await ana.get(f"/contacts/{entry['contact_id']}")
    _, me = await ana.get("/me")
    for answer, model in (
        (conversation, "Conversation"),
        (message, "Message"),
        (contact, "Contact"),
        (contact["settings"], "ContactSettings"),
        (entry, "TakenItem"),
        ((await ana.events())[0], "EventOut"),
        (me, "User"),
        (ana.session, "Session"),
    ):
        assert set(answer) == fields(model), model


async def test_the_viewer_needs_no_other_host(http, address):
    reader = Person(http, address)
    status, headers, raw = await reader.call("GET", "/docs")
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    page = raw.decode()
    assert not re.search(r"(?:https?:)?//[\w.-]+\.\w", page)
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(links) >= 3
    for link in links:
        status, headers, raw = await reader.call("GET", f"/{link}")
        kind = "text/css" if link.endswith(".css") else "javascript"
        assert (status, kind in headers["Content-Type"], len(raw) > 50) == (200, True, True), link
    for other in ("/docs/passwd", "/docs/..%2f..%2fetc%2fpasswd", "/docs/index.html"):
        assert (await reader.call("GET", other))[0] == 404


async def test_the_viewer_starts_with_our_document(http, address):
    _, _, raw = await Person(http, address).call("GET", "/docs/start.js")
    assert "openapi.json" in raw.decode()
    assert "persistAuthorization: false" in raw.decode()  # a token would be left in the browser's storage
    assert "http" not in raw.decode()


async def test_a_closed_set_is_a_component_and_nothing_defaults_to_null(document):
    """Generated clients name their types after components, and ask for every field that has a default."""
    places = [*parts(document["paths"]), *parts(document["components"]["schemas"])]
    assert [place for place in places if "default" in place and place["default"] is None] == []
    inline = [place for place in places if set(place.get("enum", ())) in map(set, CLOSED_SETS.values())]
    named = [document["components"]["schemas"][name] for name in CLOSED_SETS]
    assert [place for place in inline if place not in named] == []


def parts(tree):
    """Every object in a part of the document."""
    if isinstance(tree, dict):
        yield tree
    for below in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from parts(below)


async def test_lists_tokens_and_keys_tell_their_errors(document):
    for path, method, operation in operations(document):
        told, names = operation["responses"].keys(), {each["name"] for each in operation["parameters"]}
        assert "cursor" not in names or "400" in told, (method, path)
        takes_token = {"bearer": []} in operation["security"]
        assert not takes_token or {"401", "403", "429"} <= told, (method, path)
        assert "Idempotency-Key" not in names or {"409", "422"} <= told, (method, path)


def test_a_status_that_may_be_either_has_both_contents(document):
    contents = document["paths"]["/api/v1/health/ready"]["get"]["responses"]["503"]["content"]
    assert set(contents) == {"application/json", "application/problem+json"}


def test_what_is_shown_once_may_be_null(document):
    """A repeated answer has null in place of a secret."""
    schemas, seen = document["components"]["schemas"], set()
    for path, _, operation in operations(document):
        if not any(each.get("name") == "Idempotency-Key" for each in operation.get("parameters", [])):
            continue
        for answer in operation["responses"].values():
            name = answer.get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "/")
            for field, schema in schemas.get(name.rsplit("/", 1)[1], {}).get("properties", {}).items():
                if field in {"token", "secret", "ticket", "access_token", "refresh_token"}:
                    seen.add(path)
                    assert {"type": "null"} in schema["anyOf"], path
                    assert "null when an `Idempotency-Key` repeats" in schema["description"], path
    assert seen == {"/api/v1/tokens", "/api/v1/subscriptions"}
