"""What a subscription is asked to be: its URL, types and headers, judged before anything is kept."""

import re
from typing import Annotated, Any, cast

from pydantic import Field, StringConstraints

from alfred.addresses import LONGEST_URL, UrlFault
from alfred.events import EVENT_TYPES, UnknownType, types_of
from alfred.http.models import IfGiven, Input
from alfred.http.problems import Fault, invalid
from alfred.outbound_http import OutboundHttp

MOST_HEADERS = 20
LONGEST_HEADER = 4096  # bytes of a value
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_UNWRITABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FORBIDDEN = ("host", "transfer-encoding", "connection", "user-agent")
_FORBIDDEN_BEGINNINGS = ("content-", "webhook-", "svix-", "x-alfred-")

_URL_WORDS: dict[UrlFault, str] = {
    "invalid_url": "Give an https URL of at most 2,048 characters, without user, password and fragment.",
    "insecure_url": "Use https; http is only for private addresses that ALFRED_PRIVATE_TARGETS allows.",
    "private_address": "This leads to a private address; ALFRED_PRIVATE_TARGETS lists the ones that may be called.",
}

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8192)]
Description = Annotated[str, StringConstraints(max_length=200)]
Patterns = Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(min_length=1, max_length=100)]


class NewSubscriptionInput(Input):
    url: Url = Field(examples=["https://example.com/hooks/alfred"])
    events: Patterns | None = Field(
        None,
        examples=[["message.*", "task.created"]],
        description="Exact types, `noun.*` or `*`; left out: all but `message.classified` and `notification.created`.",
    )
    description: Description | None = None
    headers: dict[str, str] | None = Field(
        None, examples=[{"Authorization": "Bearer ..."}], description="Sent along with each call; never shown again."
    )
    ordered: bool | None = Field(None, description="One at a time, in the order of the log.")
    enabled: bool | None = None


class SubscriptionInput(Input):
    url: IfGiven[Url] = Field(None, examples=["https://example.com/hooks/alfred"])
    events: IfGiven[Patterns] = Field(None, examples=[["message.*", "task.created"]])
    description: Description | None = None
    headers: dict[str, str] | None = Field(
        None, examples=[{"Authorization": "Bearer ..."}], description="Replaces all of them; `null` takes them away."
    )
    ordered: IfGiven[bool] = Field(None, description="One at a time, in the order of the log.")
    enabled: IfGiven[bool] = None


async def check(outbound: OutboundHttp, body: NewSubscriptionInput | SubscriptionInput) -> None:
    """Everything that speaks against it, at once.

    Raises:
        Problem: 422 with a pointer to each fault.
    """
    faults = [*_faults_of_events(body.events or []), *_faults_of_headers(body.headers or {})]
    if body.url is not None:
        fault: UrlFault | None = "invalid_url"
        if len(body.url) <= LONGEST_URL:
            fault = await outbound.address_problem(body.url)
        if fault is not None:
            faults.insert(0, Fault("/url", _URL_WORDS[fault], fault))
    if faults:
        raise invalid(faults)


def patterns_of(events: list[str] | None) -> list[str]:
    """What is kept: each once, or the list of all but the types that double another."""
    if events:
        return list(dict.fromkeys(events))
    wanted = types_of([])
    return [name for name in EVENT_TYPES if name in wanted]


def _faults_of_events(events: list[str]) -> list[Fault]:
    faults = []
    for number, pattern in enumerate(events):
        try:
            types_of([pattern])
        except UnknownType:
            words = "There is no such type of event; GET /event-types lists them."
            faults.append(Fault(f"/events/{number}", words, "unknown_event_type"))
    return faults


def _faults_of_headers(headers: dict[str, str]) -> list[Fault]:
    if len(headers) > MOST_HEADERS:
        return [Fault("/headers", f"Give at most {MOST_HEADERS} headers.", "forbidden_header")]
    if len({name.lower() for name in headers}) < len(headers):
        return [Fault("/headers", "Give each header once.", "forbidden_header")]
    faults = []
    for name, value in headers.items():
        words = _fault_of_header(name, value)
        if words is not None:
            step = name.replace("~", "~0").replace("/", "~1")
            faults.append(Fault(f"/headers/{step}", words, "forbidden_header"))
    return faults


def _fault_of_header(name: str, value: Any) -> str | None:
    text, lower = cast("str", value), name.lower()
    if not _TOKEN.fullmatch(name):
        return "This is not the name of a header."
    if lower in _FORBIDDEN or lower.startswith(_FORBIDDEN_BEGINNINGS):
        return "Alfred sets this header itself."
    if len(text.encode()) > LONGEST_HEADER or _UNWRITABLE.search(text):
        return f"A header's value has at most {LONGEST_HEADER} bytes, and no line breaks."
    return None
