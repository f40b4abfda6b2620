"""The OpenAPI 3.1 document, written by the same declarations that serve the requests."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from alfred.http.endpoint import Endpoint
from alfred.http.models import Listing, Output
from alfred.http.openapi_schemas import components, for_clients
from alfred.http.problems import MEDIA_TYPE
from alfred.http.session_cookies import COOKIE

BASE = "/api/v1"
_REF = "#/components/schemas/{model}"
_ERRORS = {
    400: "The request cannot be read: broken JSON or a damaged cursor.",
    401: "Credentials are missing or not valid.",
    403: "The token lacks the scope, the password is wrong, or a page of another site asks.",
    404: "The resource does not exist.",
    405: "The path takes another method; see `Allow`.",
    409: "The request conflicts with the current state.",
    410: "What is asked for is no longer kept, or its link has expired.",
    413: "The body is too large.",
    415: "The media type of the body is not supported.",
    416: "`Range` asks for what is not there.",
    422: "The request is not valid; `errors` names each fault.",
    429: "Too many requests; see `Retry-After`.",
    503: "The database is unavailable; see `Retry-After`.",
}


class ProblemFault(Output):
    pointer: str
    message: str
    code: str


class ProblemDetails(Output):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[ProblemFault] | None = None


@dataclass(frozen=True)
class Schemas:
    """Of all models, made together: the reference of each, and what it refers to."""

    named: Mapping[Any, dict[str, Any]]  # by model and mode
    definitions: dict[str, Any]

    def shown(self, model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
        """The schema of a content, and an example."""
        schema = self.named[model, mode]
        return {"schema": schema, "example": _sample(schema, self.definitions, -1)}


def document(endpoints: Sequence[Endpoint], version: str, events: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """Every path, parameter, model, error and security scheme, and the body of each type of `events`."""
    models = _models(endpoints, events)
    named, whole = models_json_schema(models, ref_template=_REF)
    schemas = Schemas(named, whole.get("$defs", {}))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        path = BASE + endpoint.path
        paths.setdefault(path, {})[endpoint.method.lower()] = for_clients(_operation(endpoint, schemas))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Alfred",
            "version": version,
            "description": "The CRM backend for people who sell in chats.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(endpoint.tag for endpoint in endpoints)],
        "paths": paths,
        "webhooks": {name: _webhook(name, schemas.named[model, "serialization"]) for name, model in events.items()},
        "components": {
            "schemas": components(schemas.definitions),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An access token or an API token."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": COOKIE,
                    "description": "The browser's session, set by `POST /session`; no script sees it.",
                },
                "basic": {"type": "http", "scheme": "basic", "description": "An API token as the password."},
            },
        },
    }


def _models(endpoints: Iterable[Endpoint], events: Mapping[str, type[BaseModel]]) -> list[tuple[type[BaseModel], Any]]:
    models: dict[tuple[type[BaseModel], Any], None] = {(ProblemDetails, "serialization"): None}
    for endpoint in endpoints:
        for name in ("body", "query"):
            if name in endpoint.parameters:
                models[endpoint.parameters[name], "validation"] = None
        for answer in endpoint.answers:
            models[answer, "serialization"] = None
    for event in events.values():
        models[event, "serialization"] = None
    return list(models)


def _operation(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    words = (endpoint.handler.__doc__ or "").strip()
    summary, _, description = words.partition("\n")
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "tags": [endpoint.tag],
        "summary": summary,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint), *_headers(endpoint)],
        "responses": _responses(_answers(endpoint, schemas), _problems(endpoint)),
    }
    if description.strip():
        operation["description"] = "\n".join(line.strip() for line in description.strip().splitlines())
    if "body" in endpoint.parameters:
        model = endpoint.parameters["body"]
        needed = any(field.is_required() for field in model.model_fields.values())
        operation["requestBody"] = {
            "required": needed,
            "content": {"application/json": schemas.shown(model, "validation")},
        }
    operation["responses"] |= endpoint.document.get("responses", {})
    operation |= {name: part for name, part in endpoint.document.items() if name != "responses"}
    operation.setdefault("security", [{"bearer": []}, {"basic": []}] if endpoint.guarded else [])
    return operation


def _webhook(name: str, schema: Any) -> dict[str, Any]:
    """What a subscription's URL is sent."""
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature", "X-Alfred-Signature")
    operation = {
        "operationId": f"on_{name.replace('.', '_')}",
        "summary": f"Receive a signed event of the type {name}.",
        "tags": ["Events"],
        "parameters": [
            {"name": header, "in": "header", "required": True, "schema": {"type": "string"}} for header in headers
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"2XX": {"description": "Received."}, "410": {"description": "Send nothing more here."}},
    }
    return {"post": operation}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"}
            if endpoint.parameters.get(name) is UUID
            else {"type": "string"},
        }
        for name in endpoint.in_path
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    model = endpoint.query_model
    if model is None:
        return []
    schema = model.model_json_schema(ref_template=_REF)
    inlined = _inline(schema, schema.get("$defs", {}))
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "schema": {key: value for key, value in part.items() if key != "description"},
            **({"description": part["description"]} if "description" in part else {}),
        }
        for name, part in inlined["properties"].items()
    ]


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    if not endpoint.repeatable:
        return []
    words = "The same key and body within 24 hours answers the first response again, and makes nothing twice."
    key = {"name": "Idempotency-Key", "in": "header", "description": words}
    return [key | {"required": False, "schema": {"type": "string", "maxLength": 255}}]


def _inline(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inline(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
        return {key: _inline(value, definitions) for key, value in schema.items()}
    return [_inline(each, definitions) for each in schema] if isinstance(schema, list) else schema


def _answers(endpoint: Endpoint, schemas: Schemas) -> dict[str, Any]:
    answers = {}
    for status in (endpoint.status, *endpoint.also):
        answer: dict[str, Any] = {"description": {201: "Made.", 204: "Done."}.get(status, "As asked.")}
        if endpoint.answers:
            shown = [schemas.shown(shape, "serialization") for shape in endpoint.answers]
            if len(shown) > 1:
                shown[0]["schema"] = {"anyOf": [each["schema"] for each in shown]}
            answer["content"] = {"application/json": shown[0]}
        answers[str(status)] = answer
    return answers


def _responses(answers: dict[str, Any], problems: dict[str, Any]) -> dict[str, Any]:
    """Both; a status that may be either (a service that is not ready) has both contents."""
    both = {status: problems[status]["content"] | answers[status]["content"] for status in answers.keys() & problems}
    return answers | problems | {status: problems[status] | {"content": each} for status, each in both.items()}


def _problems(endpoint: Endpoint) -> dict[str, Any]:
    statuses = set(endpoint.errors)
    if endpoint.guarded:
        statuses |= {401, 403, 429}
    if endpoint.query_model is not None and issubclass(endpoint.query_model, Listing):
        statuses |= {400}  # a damaged cursor
    if endpoint.repeatable:
        statuses |= {409, 422}  # the Idempotency-Key is in use, or was used otherwise
    if endpoint.same_origin:
        statuses |= {403}
    if "body" in endpoint.parameters:
        statuses |= {400, 413, 415, 422}
    if endpoint.query_model is not None or endpoint.in_path or not endpoint.lenient:
        statuses |= {422}  # a parameter that is not valid, or not known
    if endpoint.touches_database:
        statuses |= {503}
    content = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemDetails")}}}
    return {str(status): {"description": _ERRORS[status], "content": content} for status in sorted(statuses)}


_SAMPLES: dict[str, Any] = {
    "uuid": "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e",
    "date-time": "2026-05-01T12:00:00Z",
}


def example(model: type[BaseModel]) -> Any:
    """An example of a model: each field's own, else a plain value of its type."""
    schema = model.model_json_schema(mode="serialization")
    return _sample(schema, schema.get("$defs", {}), 0)


def _sample(schema: Any, definitions: dict[str, Any], depth: int) -> Any:
    if "$ref" in schema and depth < 6:
        return _sample(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions, depth + 1)
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    if "default" in schema or "const" in schema:
        return schema.get("const", schema.get("default"))
    if "anyOf" in schema or "oneOf" in schema:
        return _sample((schema.get("anyOf") or schema["oneOf"])[0], definitions, depth + 1)
    match schema.get("type"):
        case "object":
            return {name: _sample(part, definitions, depth + 1) for name, part in schema.get("properties", {}).items()}
        case "array":
            return [] if depth > 5 else [_sample(schema.get("items", {}), definitions, depth + 1)]
        case "string":
            return _SAMPLES.get(schema.get("format", ""), re.sub(r"\W", "", schema.get("title", "text")).lower())
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
    return None
