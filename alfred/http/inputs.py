"""Reading a request: path parts, query parameters and bodies become validated values."""

import asyncio
import json
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, ValidationError

from alfred.http.packed_bodies import unpacked
from alfred.http.problems import Fault, Problem, faults_of, invalid, not_found

M = TypeVar("M", bound=BaseModel)

# NUL, which PostgreSQL refuses, and halves of surrogate pairs, which UTF-8 cannot say.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
BODY_SECONDS = 60.0
LONGEST_NUMBER = 100  # digits
MOST_VALUES = 10_000  # of a body: the largest flow has 6,000
MOST_NAMES = 500  # of one object
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
DEEPEST = 100  # what is deeper could be read, but not be written again


class NoQuery(BaseModel, extra="forbid"):
    """Endpoints that take no parameters refuse them all."""


def path_part(value: str, kind: Any) -> Any:
    """A part of the path; an id that is no UUID names nothing."""
    if kind is not UUID:
        if _UNSTORABLE.search(value):
            raise not_found("thing: the path holds characters that no name has")
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
    _refuse_unstorable(given, query=True)
    return _validated(kind, given, query=True)


async def body_of(request: web.Request) -> bytes:
    """The whole body, of whoever takes no longer than a minute to send it.

    Raises:
        Problem: 408; 400, 413 or 415 where it is packed and cannot be unpacked.
    """
    async with arriving():
        raw = await request.read()
    return await unpacked(request, raw, request.client_max_size)


@asynccontextmanager
async def arriving() -> AsyncIterator[None]:
    """The time that a body has to arrive; when it is over: a Problem, 408."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError:
        detail = "The body did not arrive in time; send it again."
        raise Problem(408, "request_timeout", detail, headers={"Connection": "close"}) from None


async def load_body(request: web.Request, kind: Any) -> Any:
    """The JSON body, validated; an empty one is an empty object."""
    raw = await body_of(request)
    if not raw.strip():
        return _validated(kind, {}, query=False)
    if request.content_type != "application/json" and not request.content_type.endswith("+json"):
        raise Problem(415, "unsupported_media_type", "Send the body as application/json.")
    _refuse_crowded(raw)
    given = load_json(raw)
    _refuse_unstorable(given, query=False)
    return _validated(kind, given, query=False)


def _validated(kind: type[M], given: Any, *, query: bool) -> M:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise invalid(faults_of(error.errors(include_url=False), given, query=query)) from None


def load_json(raw: bytes) -> Any:
    """JSON as RFC 8259 has it: UTF-8, no NaN.

    Raises:
        Problem: 400 `invalid_json`.
    """
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant, parse_float=Digits, parse_int=_whole)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except json.JSONDecodeError as error:
        reason = f"it is broken at line {error.lineno}, column {error.colno}"
    except ValueError as error:  # of ours
        reason = str(error)
    raise Problem(400, "invalid_json", f"The body is not valid JSON: {reason}.")


def _refuse_crowded(raw: bytes) -> None:
    """So many values take too long to read; commas in texts do not count.

    A value has at most two texts, its name and itself: where there are more quotation marks, nothing else is counted.
    """
    if raw.count(b'"') - raw.count(b'\\"') > 4 * (MOST_VALUES + 1):
        raise _crowded(f"The body holds more than {MOST_VALUES:,} values.")
    if raw.count(b",") > MOST_VALUES and _STRINGS.sub(b"", raw).count(b",") > MOST_VALUES:
        raise _crowded(f"The body holds more than {MOST_VALUES:,} values.")


def _crowded(detail: str) -> Problem:
    return Problem(413, "too_large", detail)


class Digits(float):
    """A number that is written as it came where text is wanted: `7.50` stays `7.50`."""

    written: str

    def __new__(cls, written: str) -> "Digits":
        """The number, with its digits."""
        number = super().__new__(cls, written)
        number.written = written
        return number

    def __str__(self) -> str:
        return self.written


def _whole(written: str) -> int | Digits:
    if len(written) > LONGEST_NUMBER:
        raise ValueError(f"a number in it has more than {LONGEST_NUMBER} digits")
    number = int(written)
    return number if str(number) == written else Digits(written)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _refuse_unstorable(given: Any, *, query: bool) -> None:
    if query:
        pointers = [name for name, value in given.items() if _is_unstorable(name) or _is_unstorable(value)]
    else:
        pointers = list(_places(_is_unstorable, given, "", 0))
    if pointers:
        words = "NUL characters and lone surrogates cannot be stored."
        raise invalid([Fault(pointer, words, "invalid_characters") for pointer in pointers[:20]])
    pointers = [] if query else list(_places(_is_infinite, given, "", 0))
    if pointers:
        raise invalid([Fault(pointer, "This number is too large.", "finite_number") for pointer in pointers[:20]])


def _is_unstorable(value: object) -> bool:
    return isinstance(value, str) and _UNSTORABLE.search(value) is not None


def _is_infinite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _places(is_wrong: Callable[[object], bool], value: Any, pointer: str, depth: int) -> Iterator[str]:
    """Where in a value something is wrong."""
    if depth > DEEPEST:
        raise Problem(400, "invalid_json", f"The body is not valid JSON: it is nested more than {DEEPEST} levels deep.")
    if is_wrong(value):
        yield pointer
    elif isinstance(value, dict):
        if len(value) > MOST_NAMES:
            raise _crowded(f"An object of the body has more than {MOST_NAMES} fields.")
        for name, inner in value.items():
            if is_wrong(name):
                yield pointer
            else:
                step = str(name).replace("~", "~0").replace("/", "~1")
                yield from _places(is_wrong, inner, f"{pointer}/{step}", depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(is_wrong, inner, f"{pointer}/{index}", depth + 1)
