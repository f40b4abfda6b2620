"""Contacts that come and go as files."""

import io

BOM = b"\xef\xbb\xbf"
CSV = {"Content-Type": "text/csv"}
COLUMNS = [
    "name", "handle", "channel_type", "email", "phone", "notes", "identities", "negotiation_enabled",
    "negotiation_mode", "base_price", "custom_price", "currency", "vip", "preferred_tone",
]  # fmt: skip


async def imported(person, text, headers=CSV, expected=200):
    raw = text if isinstance(text, bytes) else text.encode()
    status, answer = await person.post("/contacts/import", data=io.BytesIO(raw), headers=headers)
    assert status == expected, answer
    return answer


async def exported(person):
    status, headers, raw = await person.call("GET", "/contacts/export")
    assert status == 200, raw
    return headers, raw


def counts(report):
    return {name: report[name] for name in ("created", "updated", "unchanged", "refused") if report[name]}


async def contacts(person, **filters):
    status, page = await person.get("/contacts", **filters)
    assert status == 200, page
    return page["items"]
