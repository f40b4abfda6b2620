"""A typed function becomes a validated handler; the same declaration writes the OpenAPI document.

The names of a handler's parameters say where their values come from: `query` and `body` are models, `raw` the bytes,
`db` is a transaction under the caller's hat, `caller`, `services` and `request` are what they say,
and any other name is that part of the path. The return type is the answer.
"""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from aiohttp import hdrs, web
from pydantic import BaseModel

from alfred.db import Away, connection_lost
from alfred.http.auth import authenticate
from alfred.http.bodies import at_once
from alfred.http.context import SERVICES, Caller, Services
from alfred.http.idempotency import HEADER, Claim, claimed, settled
from alfred.http.inputs import NoQuery, body_of, load_body, load_query, path_part
from alfred.http.models import JSON
from alfred.http.server import has_begun
from alfred.http.session_cookies import refuse_cross_site
from alfred.queries import Db
from alfred.settings import Settings

T = TypeVar("T", bound=BaseModel | None)
Handler = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Handler)

_PAUSES = (0.0, 0.1, 0.4)  # seconds between the attempts of a read
_TEMPLATE = re.compile(r"{(\w+)}")


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
    repeatable: bool = False  # an Idempotency-Key makes it happen once
    streamed: bool = False  # the handler reads the body by itself, and looks for its Idempotency-Key (`once`)
    secrets: tuple[str, ...] = ()  # fields of the answer that are shown once; null when it is repeated
    endless: bool = False  # a stream, which no deadline ends
    same_origin: bool = False  # other sites' pages are refused: it sets, reads or clears the browser's cookie
    has_tail: bool = False  # what stands behind its path does not matter
    lenient: bool = False  # whoever posts here may append parameters that we do not know
    guarded: bool = True  # needs credentials, even where the handler looks at them itself (scope None)
    body_limit: Callable[[Settings, Mapping[str, str]], int] | None = None  # of `raw`, by settings and path: bytes
    query_model: type[BaseModel] | None = None  # what a handler that reads the query by itself takes
    document: dict[str, Any] = field(default_factory=dict)  # what the signature cannot say of it

    answers: tuple[type[BaseModel], ...] = ()  # the shapes that the answer's body may have
    parameters: dict[str, Any] = field(default_factory=dict)  # the handler's, with their types

    @cached_property
    def in_path(self) -> tuple[str, ...]:
        """The names of the path's parts."""
        return tuple(_TEMPLATE.findall(self.path))

    @property
    def touches_database(self) -> bool:
        """Whether it can answer 503."""
        return bool({"db", "services"} & self.parameters.keys())

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Authenticate, validate, run, answer."""
        services = request.app[SERVICES]
        if self.same_origin:
            refuse_cross_site(request)
        if self.endless:  # there is no body, and nothing is kept around a stream that stays open for days
            caller = None if self.scope is None else await authenticate(request, services, self.scope)
            return await self._serve(services, caller, await self._read(request, services, caller, b""), None)
        # Over all of it but the body's arrival; when it is over: TimeoutError, a 503, and a COMMIT goes on.
        async with asyncio.timeout(services.settings.request_deadline) as deadline:
            caller = None if self.scope is None else await authenticate(request, services, self.scope)
            if not self._takes_body(request):
                return await self._answer(request, services, caller, b"")
            if self.body_limit is not None and caller is not None:
                small = at_once(request, self.body_limit(services.settings, request.match_info))
                if small is not None:
                    return await self._answer(request, services, caller, small)
            async with self._arrived(request, services, caller, deadline) as raw:
                return await self._answer(request, services, caller, raw)

    def _takes_body(self, request: web.Request) -> bool:
        asked = "body" in self.parameters or self.body_limit is not None
        return asked or self._is_keyed(request)

    def _is_keyed(self, request: web.Request) -> bool:
        return self.repeatable and not self.streamed and HEADER in request.headers

    @asynccontextmanager
    async def _arrived(
        self, request: web.Request, services: Services, caller: Caller | None, deadline: asyncio.Timeout
    ) -> AsyncIterator[bytes]:
        """The body, whose arrival has a time of its own."""
        clock = asyncio.get_running_loop().time
        ends_at = deadline.when()
        assert ends_at is not None
        left = ends_at - clock()
        deadline.reschedule(None)
        async with AsyncExitStack() as stack:
            if self.body_limit is not None and caller is not None:
                limit = self.body_limit(services.settings, request.match_info)
                raw = await stack.enter_async_context(services.bodies.body_of(request, caller.user_id, limit))
            else:
                raw = await body_of(request)
            deadline.reschedule(clock() + left)
            yield raw

    async def _answer(
        self, request: web.Request, services: Services, caller: Caller | None, raw: bytes
    ) -> web.StreamResponse:
        if caller is None or not self._is_keyed(request):
            return await self._serve(services, caller, await self._read(request, services, caller, raw), None)
        for name in self.in_path:  # a path that names nothing is not remembered
            path_part(request.match_info[name], self.parameters.get(name))
        claim = await claimed(request, services, caller.user_id, raw, self.secrets)
        if isinstance(claim, web.Response):
            return claim

        async def run() -> web.StreamResponse:  # what is refused as invalid is a first answer too
            return await self._serve(services, caller, await self._read(request, services, caller, raw), claim)

        return await settled(request, services, claim, run)

    async def _read(
        self, request: web.Request, services: Services, caller: Caller | None, raw: bytes
    ) -> dict[str, Any]:
        at_hand = {"request": request, "services": services, "caller": caller, "raw": raw}
        given: dict[str, Any] = {}
        for name, kind in self.parameters.items():
            if name in at_hand:
                given[name] = at_hand[name]
            elif name == "query":
                given[name] = load_query(request, kind)
            elif name == "body":
                given[name] = await load_body(request, kind)
            elif name != "db":
                given[name] = path_part(request.match_info[name], kind)
        if self.query_model is None and request.query_string and not self.lenient:
            load_query(request, NoQuery)
        return given

    async def _serve(
        self, services: Services, caller: Caller | None, given: dict[str, Any], claim: Claim | None
    ) -> web.StreamResponse:
        """A read is repeated: its connection may have died while it was idle, or all of them."""
        for pause in _PAUSES if self.method == "GET" else ():
            try:
                return await self._run(services, caller, given, claim)
            except Exception as error:
                begun = "request" in given and has_begun(given["request"])
                if begun or isinstance(error, TimeoutError | Away) or not connection_lost(error):
                    raise  # who waited in vain does not wait again
            await asyncio.sleep(pause)
        return await self._run(services, caller, given, claim)

    async def _run(
        self, services: Services, caller: Caller | None, given: dict[str, Any], claim: Claim | None
    ) -> web.StreamResponse:
        """The handler in its transaction, which also keeps the answer to a claimed request."""
        if caller is None or ("db" not in self.parameters and claim is None):
            return self._respond(await self.handler(**given))
        if "db" not in self.parameters:
            response = self._respond(await self.handler(**given))
            async with services.database.acting_as(caller.user_id) as db:
                await _keep(claim, db, response)
            return response
        async with services.database.acting_as(caller.user_id) as db:
            response = self._respond(await self.handler(**given, db=db))
            await _keep(claim, db, response)
        if self.method != "GET":
            services.bus.announce([caller.user_id])  # a change may have recorded events
        return response

    def _respond(self, answer: Any) -> web.StreamResponse:
        if isinstance(answer, web.StreamResponse):
            return answer
        status, headers = self.status, {}
        if isinstance(answer, Answer):
            status, headers, answer = answer.status or status, dict(answer.headers), answer.body
        if answer is None:
            return web.Response(status=204, headers=headers)
        headers.setdefault(hdrs.CONTENT_TYPE, JSON)
        return web.Response(body=answer.model_dump_json().encode(), status=status, headers=headers)


def _signature(handler: Handler) -> tuple[tuple[type[BaseModel], ...], dict[str, Any]]:
    """The models that the answer's body may have, and the type of each parameter."""
    hints = get_type_hints(handler)
    answer = hints.pop("return", type(None))
    kinds = get_args(answer) if isinstance(answer, UnionType) else (answer,)
    bodies = [get_args(kind)[0] if get_origin(kind) is Answer else kind for kind in kinds]
    models = tuple(body for body in bodies if isinstance(body, type) and issubclass(body, BaseModel))
    return models, {name: hints[name] for name in inspect.signature(handler).parameters}


async def _keep(claim: Claim | None, db: Db, response: web.StreamResponse) -> None:
    if claim is not None and isinstance(response, web.Response):
        await claim.keep(db, response)


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
        traits.setdefault("repeatable", method == "POST" and traits.get("status") == 201 and traits["guarded"])

        def register(handler: H) -> H:
            answers, parameters = _signature(handler)
            traits.setdefault("query_model", parameters.get("query"))
            self.endpoints.append(
                Endpoint(method, path, handler, tag=self.tag, answers=answers, parameters=parameters, **traits)
            )
            return handler

        return register
