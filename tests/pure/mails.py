"""Mails in the shortest form, and what is read of them."""

from datetime import UTC, datetime
from typing import Any

from alfred.channels import normalise
from alfred.channels.item import InboundItem

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def one(payload: Any) -> InboundItem:
    reading = normalise(payload, "whatsapp")  # the address says nothing about a mail
    assert reading.recognised
    (item,) = reading.items
    assert item.channel_type == "email"
    return item


def files(item: InboundItem) -> list[tuple[Any, ...]]:
    return [(file.type, file.mime, file.id_or_url) for file in item.attachments]


def mime(*lines: str, body: str = "hello") -> bytes:
    start = [
        "From: Ana <Ana@Example.com>",
        "Date: Wed, 1 May 2024 09:00:00 -0300",
        "Message-ID: <m1@example.com>",
    ]
    return "\r\n".join([*start, "To: Loja <Loja@Example.org>", *lines, "", body]).encode()
