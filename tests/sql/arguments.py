"""What queries are asked with: values of rows that are there, and what must be new or fit together."""

import datetime
from uuid import UUID

from uuid_utils.compat import uuid7

# What a row of the tables does not tell.
MAY, JUNE = [datetime.datetime(2024, month, 1, tzinfo=datetime.UTC) for month in (5, 6)]
ARGUMENTS = {
    "limit": 100, "most": 100, "interval": "day", "zone": "UTC", "channel": "whatsapp", "since": MAY, "until": JUNE,
    "now": JUNE, "q": "oi", "bodies": [], "handle": "+5511900000999", "external_id": "x1", "attachments": [], "size": 1,
    "sha256": b"x" * 32, "status_to": "closed", "preferences": {}, "unread": True, "kept": 0, "after_number": 0,
    "payload": {}, "number": 1,
}  # fmt: skip
ALWAYS = {"limit", "most", "interval", "zone", "since", "until", "now", "attachments", "unread", "kept", "after_number"}
# What they add must fit together, or be new: beside what rows of the tables have: (table, which of its rows).
SECOND = uuid7()  # a contact of everybody who has one
FITTING = {
    "connections.add_key": {"key_hash": b"y" * 32, "key_id": uuid7(), "provider": "waha", "sealed": b"x",
                            "channel_id": ("connections", 0)},
    "contact_merges.merge": {"contact_id": ("contacts", 0), "merged_id": SECOND},
    "contacts.add": {"contact_id": uuid7(), "handle": "+5511900000555", "channel_type": "whatsapp"},
    "conversations.open": {"channel_id": ("conversations", 0), "contact_id": ("conversations", 0)},
    "events.failed": {"consumer": "nobody", "number": 1, "error": "x", "wait_seconds": 1.0, "most": 8},
    "events.record": {"type": "task.created", "task_id": ("tasks", 0), "payload": {}},
    "media.add_upload": {"media_id": uuid7(), "sha256": "x" * 64, "mime_type": "image/png", "file_name": "x"},
    "outbox.schedule": {
        "message_id": uuid7(), "conversation_id": ("conversations", 0), "channel_id": ("conversations", 0),
        "body": "oi", "author": "person", "source": "api", "scheduled_at": JUNE, "cancel_on_reply": False,
    },
    "rules.waiting_for": {"subject": "x", "trigger": "message.received", "most": 100},
    "sessions.start": {"session_id": uuid7(), "token_hash": b"y" * 32, "ttl": 60.0, "max_age": 60.0, "cookie": False},
    "streams.issue_ticket": {"ticket_hash": b"y" * 32, "ttl": 60.0},
    "tokens.add_hash": {"token_hash": b"y" * 32, "token_id": ("api_tokens", 0)},
}  # fmt: skip
# What goes back to a contact who was merged: the ids of rows that are the other's now.
FITTING |= {
    f"contact_merges.return_{name}": {
        "contact_id": ("contacts", 0), "merged_id": SECOND, "since": MAY,
        "conversations": [("conversations", 0, "conversation_id")], "tasks": [("tasks", 0, "task_id")],
        "notes": [("contact_notes", 0, "note_id")], "notifications": [("notifications", 0, "notification_id")],
        "events": [("ai_events", 0, "number")], "merges": [("contact_merges", 0, "merged_id")],
    }
    for name in ("conversations", "tasks", "notes", "notifications", "events", "merges")
}  # fmt: skip


def fits(value, kind):
    try:
        cast(value, kind)
    except (TypeError, ValueError, AttributeError):
        return False
    return not isinstance(value, dict) or kind in {"json", "jsonb"}


def cast(value, kind):
    if isinstance(value, list) and kind not in {"json", "jsonb"}:
        return [cast(each, kind) for each in value]
    match kind:
        case "uuid":
            return UUID(value)
        case "timestamptz":
            return datetime.datetime.fromisoformat(value)
        case "bytea":
            return bytes.fromhex(value.removeprefix("\\x"))
        case "text" | "varchar":
            if not isinstance(value, str):
                raise TypeError
        case "int8" | "int4" | "int2":
            if not isinstance(value, int):
                raise TypeError
        case "bool":
            if not isinstance(value, bool):
                raise TypeError
        case "float8" | "numeric":
            return float(value)
    return value
