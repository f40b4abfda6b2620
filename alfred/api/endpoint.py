"""A typed function becomes a validated handler; the same declaration writes the OpenAPI document.

The names of a handler's parameters say where their values come from: `query` and `body` are models,
`db` is a transaction under the caller's hat, `caller`, `services` and `request` are what they say,
and any other name is that part of the path. The return type is the answer.
"""

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Generic, NoReturn, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ValidationError

from alfred.api.auth import authenticate
from alfred.api.context import SERVICES, Caller, Services
from alfred.api.problems import Fault, Problem, faults_of, invalid, not_found
from alfred.db import connection_lost

T = TypeVar("T", bound=BaseModel | None)
M = TypeVar("M", bound=BaseModel)
Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)

_TEMPLATE = re.compile(r"{(\w+)}")
# NUL, which PostgreSQL refuses, and halves of surrogate pairs, which UTF-8 cannot say.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """An answer whose status or headers are not the endpoint's usual ones."""

    body: T
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    """One method of one path."""

    method: str
    path: str
    handler: Handler
    status: int = 200
    scope: str | None = "read"  # None: public
    errors: tuple[int, ...] = ()
    also: tuple[int, ...] = ()  # other statuses that answer the same shape
    tag: str = ""
    guarded: bool = True  # needs credentials, even where the handler looks at them itself (scope None)
    query_model: type[BaseModel] | None = None  # what a handler that reads the query by itself takes
    document: dict[str, Any] = field(default_factory=dict)  # what the signature cannot say of it

    def __post_init__(self) -> None:
        """Read the handler's signature once."""
        hints = get_type_hints(self.handler)
        answer = hints.pop("return", type(None))
        object.__setattr__(self, "answer", get_args(answer)[0] if get_origin(answer) is Answer else answer)
        object.__setattr__(
            self, "parameters", {name: hints[name] for name in inspect.signature(self.handler).parameters}
        )
        object.__setattr__(self, "in_path", tuple(_TEMPLATE.findall(self.path)))
        object.__setattr__(self, "query_model", self.query_model or self.parameters.get("query"))

    answer: Any = field(init=False, default=None)
    parameters: dict[str, Any] = field(init=False, default_factory=dict)
    in_path: tuple[str, ...] = field(init=False, default=())

    @property
    def touches_database(self) -> bool:
        """Whether it can answer 503."""
        return bool({"db", "services"} & self.parameters.keys())

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Authenticate, validate, run, answer."""
        services = request.app[SERVICES]
        caller = None if self.scope is None else await authenticate(request, services, self.scope)
        given = await self._read(request, services, caller)
        for last_try in (request.method != "GET", True):
            try:
                return self._respond(await self._run(services, caller, given))
            except Exception as error:
                # A read may be repeated at once: its connection may have died while it was idle.
                if last_try or not connection_lost(error):
                    raise
        raise AssertionError("unreachable")

    async def _read(self, request: web.Request, services: Services, caller: Caller | None) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, kind in self.parameters.items():
            if name in self.in_path:
                given[name] = _path_part(request.match_info[name], kind)
            elif name == "query":
                given[name] = load_query(request, kind)
            elif name == "body":
                given[name] = await _body(request, kind)
            elif name != "db":
                given[name] = {"request": request, "services": services, "caller": caller}[name]
        if self.query_model is None and request.query_string:
            load_query(request, _NoQuery)
        return given

    async def _run(self, services: Services, caller: Caller | None, given: dict[str, Any]) -> Any:
        async with AsyncExitStack() as stack:
            if "db" in self.parameters:
                assert caller is not None
                given["db"] = await stack.enter_async_context(services.database.acting_as(caller.user_id))
            return await self.handler(**given)

    def _respond(self, answer: Any) -> web.StreamResponse:
        if isinstance(answer, web.StreamResponse):
            return answer
        status, headers = self.status, {}
        if isinstance(answer, Answer):
            status, headers, answer = answer.status or status, dict(answer.headers), answer.body
        if answer is None:
            return web.Response(status=204, headers=headers)
        text = answer.model_dump_json().encode()
        return web.Response(body=text, status=status, headers=headers, content_type="application/json", charset="utf-8")


class Routes:
    """The endpoints of one resource, in the order of the file."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.endpoints: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self.endpoints)

    def on(self, method: str, path: str, **traits: Any) -> Callable[[H], H]:
        """Register a handler; a change asks for the scope `write` unless `scope` says otherwise."""
        traits.setdefault("scope", "read" if method == "GET" else "write")
        traits.setdefault("guarded", traits["scope"] is not None)

        def register(handler: H) -> H:
            self.endpoints.append(Endpoint(method, path, handler, tag=self.tag, **traits))
            return handler

        return register


class _NoQuery(BaseModel, extra="forbid"):
    """Endpoints that take no parameters refuse them all."""


def _path_part(value: str, kind: Any) -> Any:
    if kind is not UUID:
        return value
    try:
        return UUID(value)
    except ValueError:
        raise not_found("thing: the id in the path is not a UUID") from None


def load_query(request: web.Request, kind: type[M]) -> M:
    """The query parameters, validated; an empty one counts as left out."""
    given: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in given:
            raise invalid([Fault(name, "Give this parameter once.", "repeated")])
        if value != "" or name not in kind.model_fields:
            given[name] = value
    _refuse_unstorable(given)
    return _validated(kind, given, query=True)


async def _body(request: web.Request, kind: Any) -> Any:
    raw = await request.read()
    if not raw.strip():
        return _validated(kind, {}, query=False)
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise Problem(415, "unsupported_media_type", "Send the body as application/json.")
    given = load_json(raw)
    _refuse_unstorable(given)
    return _validated(kind, given, query=False)


def _validated(kind: type[M], given: Any, *, query: bool) -> M:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise invalid(faults_of(error.errors(include_url=False, include_context=False), query=query)) from None


def load_json(raw: bytes) -> Any:
    """JSON as RFC 8259 has it: UTF-8, no NaN.

    Raises:
        Problem: 400 `invalid_json`.
    """
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise Problem(400, "invalid_json", f"The body is not valid JSON: {reason}.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refuse_unstorable(given: Any) -> None:
    faults = [Fault(pointer, "NUL characters and lone surrogates cannot be stored.", "invalid_characters")
              for pointer in _unstorable(given, "")]  # fmt: skip
    if faults:
        raise invalid(faults[:20])


def _unstorable(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            yield pointer
    elif isinstance(value, dict):
        for name, inner in value.items():
            if _UNSTORABLE.search(name):
                yield pointer
            else:
                yield from _unstorable(inner, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{pointer}/{index}")
