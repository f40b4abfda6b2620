"""Every payload of the corpus becomes exactly the items that stand beside it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alfred.channels import normalise
from alfred.channels.body import read_body

PAYLOADS = Path(__file__).parents[1] / "payloads"
BUGS = Path(__file__).parents[1] / "cases"
CASES = sorted(
    path
    for path in (*PAYLOADS.glob("*/*.*"), *BUGS.glob("*.*"))
    if not path.name.endswith(".expected.json") and path.suffix in {".json", ".form", ".multipart", ".eml"}
)
CHANNELS = {"messenger": "messenger", "instagram": "instagram"} | dict.fromkeys(
    ("whatsapp_cloud", "evolution", "zapi", "waha", "twilio"), "whatsapp"
)


def content_type(case: Path, body: bytes) -> str:
    if case.suffix == ".multipart":
        return "multipart/form-data; boundary=" + body.split(b"\r\n", 1)[0].decode().removeprefix("--")
    if case.suffix == ".json":
        return "text/plain; charset=UTF-8" if case.parent.name == "ses" else "application/json"
    return {".form": "application/x-www-form-urlencoded", ".eml": "message/rfc822"}[case.suffix]


def channel_type(case: Path) -> str:
    guess = "whatsapp" if case.name.startswith("whatsapp_") else "email"
    return CHANNELS.get(case.parent.name, guess)


def as_expected(item: dict[str, Any], channel: str) -> dict[str, Any]:
    """Both sides in the form in which they may be compared."""
    if item["kind"] == "ignored":
        return {"kind": "ignored"}
    same = {key: item.get(key) for key in ("kind", "external_id", "recipient", "text", "reply_to", "status")}
    if channel == "email":
        same["text"] = " ".join((item.get("text") or "").split()) or None
    at = item["sent_at"]
    same["sent_at"] = at and int(datetime.fromisoformat(at).astimezone(UTC).timestamp() * 1000)
    same["sender"] = item["sender"]
    keys = ("type", "mime", "id_or_url", "caption")
    same["attachments"] = [{key: file.get(key) for key in keys} for file in item["attachments"]]
    return same


def are_as_expected(items: list[dict[str, Any]], expected: list[dict[str, Any]], channel: str) -> None:
    """Of an expected item with `text_contains` the text must hold the pieces."""
    wanted = [as_expected(item, channel) for item in expected]
    same = [as_expected(item, channel) for item in items]
    for item, want, whole in zip(same, wanted, expected, strict=True):
        if pieces := whole.get("text_contains"):
            assert all(piece in item["text"] for piece in pieces)
            item["text"] = want["text"]
    assert same == wanted


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_becomes_what_stands_beside_it(case):
    body, channel = case.read_bytes(), channel_type(case)
    reading = normalise(read_body(body, content_type(case, body)), channel)
    expected = json.loads(case.with_suffix(".expected.json").read_text())
    are_as_expected([item.model_dump(mode="json") for item in reading.items], expected, channel)
    assert reading.recognised
    assert all(item.provider for item in reading.items)
    assert all(item.ignored_kind and item.reason for item in reading.items if item.kind == "ignored")
    assert {item.channel_type for item in reading.items} == {channel}
    json.dumps([item.raw for item in reading.items], allow_nan=False)


def test_there_is_a_corpus():
    assert len(CASES) > 30
