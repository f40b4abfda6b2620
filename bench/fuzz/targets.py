"""What is fuzzed: each target takes bytes, and raises only where a promise is broken."""

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from alfred.api.contact_files.cells import COLUMNS
from alfred.api.contact_files.csv_table import UnreadableTable, WrongColumns, disarmed, read_table, rearmed, write_row
from alfred.channels import CHANNEL_TYPES, mime, normalise
from alfred.channels.body import BrokenJson, UnreadableBody, read_body
from alfred.http.models import Listing
from alfred.http.pages import after
from alfred.http.problems import Problem
from alfred.positions import DamagedPosition, Position
from alfred.rules.conditions import Compiled, Situation, match
from alfred.rules.sentence.compiler import NotUnderstood, explain_rule
from alfred.rules.sentence.compiler import compile as compile_rule
from alfred.rules.sentence.vocabulary import LANGUAGES

ROOT = Path(__file__).resolve().parents[2]
CONTENT_TYPES = (None, "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b",
                 "message/rfc822", "text/plain; charset=UTF-8")  # fmt: skip
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def normalisers(data: bytes) -> None:
    """Any body of any type is read, or refused; what is read can be written as JSON."""
    if len(data) < 2:
        return
    content_type = CONTENT_TYPES[data[0] % len(CONTENT_TYPES)]
    with suppress(BrokenJson, UnreadableBody):
        reading = normalise(read_body(data[2:], content_type), CHANNEL_TYPES[data[1] % len(CHANNEL_TYPES)])
        assert reading.items
        for item in reading.items:
            json.dumps(item.model_dump(mode="json"), allow_nan=False).encode()


def mail(data: bytes) -> None:
    """Any mail has items, and its files can be taken out."""
    for item in mime.read(data):
        json.dumps(item.model_dump(mode="json"), allow_nan=False).encode()
    mime.file_parts(data)


def rules(data: bytes) -> None:
    """Any text is a rule that can be said back, or is refused."""
    text = data.decode(errors="replace")[:500]
    with suppress(NotUnderstood):
        rule = compile_rule(text, language=None)
        dumped = rule.compiled.model_dump(mode="json", exclude_none=True)
        assert Compiled.model_validate(dumped) == rule.compiled
        match(rule.compiled.when, Situation(at=NOW))
        assert all(explain_rule(rule.compiled, each) for each in LANGUAGES)


def cursors(data: bytes) -> None:
    """Any text is a place in a list or in the log, or is refused."""
    text = data.decode(errors="replace")
    with suppress(Problem):
        after("contacts", Listing.model_construct(cursor=text), datetime.fromisoformat, UUID)
    with suppress(DamagedPosition):
        Position.read(text)


def tables(data: bytes) -> None:
    """Any bytes are a table or are refused; what is written can be read, and does nothing in a spreadsheet."""
    with suppress(UnreadableTable, WrongColumns):
        read_table(data, COLUMNS, 1000)
    text = data.decode(errors="replace")
    assert rearmed(disarmed(text)) == text
    write_row([disarmed(text), text])


def _examples(*patterns: str) -> list[bytes]:
    return [path.read_bytes() for pattern in patterns for path in sorted((ROOT / "tests").glob(pattern))]


def _bodies() -> Iterable[bytes]:
    kinds = {"*.json": 1, "*.form": 2, "*.multipart": 3, "*.eml": 4}
    for pattern, kind in kinds.items():
        for body in _examples(f"payloads/*/{pattern}"):
            yield bytes([kind, 0]) + body


def _sentences() -> Iterable[bytes]:
    yield b"Se a mensagem for urgente e o cliente for VIP, me avise e marque com a tag 'x' depois das 18h"
    yield b"When a customer asks 'refund' or is negative unless tagged VIP, create a task tomorrow at 9am"
    yield "Cuando el cliente no responde en 7 días, crea una tarea para mañana y responde 'hola'".encode()


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterable[bytes]]]] = {
    "normalisers": (normalisers, _bodies),
    "mail": (mail, lambda: _examples("payloads/**/*.eml", "payloads/**/*.mime")),
    "rules": (rules, _sentences),
    "cursors": (cursors, lambda: [b"WyJjb250YWN0cyIsIjIwMjYiXQ", str(Position("0a", 1, "3:3:", "", 0)).encode()]),
    "tables": (tables, lambda: [b"name,whatsapp\nAna,+5511987654321\n", b'nome;e-mail\r\n"a";=1+1\r\n']),
}
