"""The one door that errors leave through: application/problem+json (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from aiohttp import web
from pydantic_core import ErrorDetails

from alfred.db import UnknownUser, connection_lost, held_by_others
from alfred.fault_sentences import sentence_of
from alfred.heavy_work import TookTooLong, WorkersBusy
from alfred.turns import TooBusy

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with the input; `pointer` is a JSON pointer into the body, or the parameter's name."""

    pointer: str
    message: str
    code: str


@dataclass
class Problem(Exception):
    """An answer that is not what was asked for."""

    status: int
    code: str
    detail: str
    faults: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def not_found(noun: str) -> Problem:
    """Not there, or another tenant's: nothing tells which."""
    return Problem(404, "not_found", f"There is no such {noun}.")


def invalid(faults: Sequence[Fault]) -> Problem:
    """Understood, but not valid."""
    code = "unknown_parameter" if any(fault.code == "unknown_parameter" for fault in faults) else "invalid"
    detail = "; ".join(f"{fault.pointer or 'body'}: {fault.message.rstrip('.')}" for fault in faults[:3])
    return Problem(422, code, f"{detail}.", faults)


def bad_reference(pointer: str, noun: str) -> Problem:
    """An id in the body that is not there, or is another tenant's."""
    return invalid([Fault(pointer, f"There is no such {noun}.", "not_found")])


def away() -> Problem:
    """PostgreSQL is away."""
    return Problem(
        503,
        "database_unavailable",
        "The database cannot be reached; try again in a moment.",
        headers={"Retry-After": "2"},
    )


def faults_of(errors: Sequence[ErrorDetails], given: Any, *, query: bool) -> list[Fault]:
    """pydantic's complaints as ours, in the words of alfred/fault_sentences.py."""
    faults = []
    for error in errors:
        path = [str(part).replace("~", "~0").replace("/", "~1") for part in _way(error["loc"], given)]
        code = error["type"]
        if code in {"union_tag_not_found", "union_tag_invalid"}:  # the field that tells which model it is
            path.append(str(error.get("ctx", {}).get("discriminator", "")).strip("'"))
            code = "missing" if code == "union_tag_not_found" else "literal_error"
        if code == "extra_forbidden":
            code = "unknown_parameter" if query else "unknown_field"
        pointer = "/".join(path) if query else "".join(f"/{part}" for part in path)
        faults.append(Fault(pointer, sentence_of(error, code), code))
    return faults


def _way(loc: Sequence[int | str], given: Any) -> list[int | str]:
    """The steps that the input has: pydantic also names the branch of a union that it tried."""
    way: list[int | str] = []
    for number, step in enumerate(loc):
        inside = (isinstance(given, dict) and step in given) or (
            isinstance(given, list) and isinstance(step, int) and step < len(given)
        )
        if inside:
            given = given[step]
        if inside or (number == len(loc) - 1 and isinstance(given, dict)):
            way.append(step)
    return way


# A constraint says more exactly than a look beforehand what cannot be: its name becomes the client's error.
_CONFLICTS = {
    "logins_email_taken": ("email_taken", "This e-mail address has an account already."),
    "contact_identities_handle_taken": ("handle_taken", "Another contact has this handle on this channel."),
    "channels_account_taken": ("account_taken", "Another channel of this type has this account."),
    "messages_external_id_taken": ("external_id_taken", "This channel has a message with this external_id already."),
}


def problem_of(error: BaseException) -> Problem:
    """Whatever went wrong, as the answer to give; what nobody expected is a 500 without internals."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, UnknownUser):
        return unauthorized("The account of this token is gone.")
    if isinstance(error, TooBusy):
        return Problem(503, "busy", "Too many logins wait; try again in a moment.", headers={"Retry-After": "5"})
    if isinstance(error, WorkersBusy):
        detail = "Too many large requests wait to be read; try again in a moment."
        return Problem(503, "busy", detail, headers={"Retry-After": "5"})
    if isinstance(error, TookTooLong):
        return Problem(422, "too_complex", "The request takes too long to read; send less of it at once.")
    if isinstance(error, asyncpg.UniqueViolationError) and error.constraint_name in _CONFLICTS:
        return Problem(409, *_CONFLICTS[error.constraint_name])
    if held_by_others(error):
        detail = "Somebody else is changing the same things; try again in a moment."
        return Problem(503, "busy", detail, headers={"Retry-After": "2"})
    if isinstance(error, web.RequestPayloadError):
        return Problem(400, "unreadable_body", "The body cannot be decoded as its Content-Encoding states.")
    if isinstance(error, asyncpg.InsufficientResourcesError):  # its disk is full, or its memory or connections are
        log.error("database_full", error=type(error).__name__, state=error.sqlstate)
        return away()
    if connection_lost(error):
        log.warning("database_away", error=repr(error))
        return away()
    if isinstance(error, web.HTTPException):
        return _of_http(error)
    log.error("request_failed", exc_info=error)
    return Problem(500, "internal_error", "An internal error occurred. Quote the request id when reporting it.")


def unauthorized(detail: str, code: str = "unauthorized") -> Problem:
    """Credentials are missing or not valid."""
    return Problem(401, code, detail, headers={"WWW-Authenticate": 'Bearer realm="alfred", Basic realm="alfred"'})


def _of_http(error: web.HTTPException) -> Problem:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return Problem(405, "method_not_allowed", f"This path takes {allowed}.", headers={"Allow": allowed})
    if isinstance(error, web.HTTPNotFound):
        return Problem(404, "not_found", "No resource exists at this path.")
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return Problem(413, "too_large", "The body is larger than this server takes.")
    code = HTTPStatus(error.status).name.lower()
    return Problem(error.status, code, error.reason or HTTPStatus(error.status).phrase)


def response_of(problem: Problem, request_id: str) -> web.Response:
    """The problem as it travels."""
    body: dict[str, Any] = {
        "type": f"urn:alfred:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
        **problem.extra,
    }
    if problem.faults:
        body["errors"] = [{"pointer": f.pointer, "message": f.message, "code": f.code} for f in problem.faults]
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return web.Response(status=problem.status, body=text, content_type=MEDIA_TYPE, headers=problem.headers)
