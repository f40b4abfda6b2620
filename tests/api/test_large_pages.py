"""Long texts: a page has a mebibyte of them and a message, whatever its limit; nothing is left out or told twice."""

import io
import json
import zipfile

import pytest

from alfred.terms import LONGEST_INBOUND_BODY

LONG = 300_000  # characters: three make a page, and the fourth, which begins within it


async def hears(person, number, length=LONG):
    return await person.hears(f"{number} ".ljust(length, "x"), at=1714564800 + number)


@pytest.fixture
async def thread(ana):
    """The conversation, and the numbers of its messages by id, oldest first."""
    entries = [await hears(ana, number, LONG if number else 10) for number in range(8)]
    return entries[0]["conversation_id"], {entry["message_id"]: number for number, entry in enumerate(entries)}


async def pages_of(person, path, numbers, **query):
    pages, cursor = [], None
    while True:
        status, page = await person.get(path, **query, **({"cursor": cursor} if cursor else {}))
        assert status == 200, page
        pages.append([numbers[each["id"]] for each in page["items"]])
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not (cursor := page["next_cursor"]):
            return pages


async def test_every_list_of_messages_goes_on_where_a_page_is_full(ana, thread):
    conversation, numbers = thread
    path, ids = f"/conversations/{conversation}/messages", list(numbers)
    assert await pages_of(ana, path, numbers, limit=200) == [[7, 6, 5, 4], [3, 2, 1, 0]]
    assert await pages_of(ana, path, numbers, limit=3) == [[7, 6, 5], [4, 3, 2], [1, 0]]
    assert await pages_of(ana, "/messages", numbers, limit=200) == [[7, 6, 5, 4], [3, 2, 1, 0]]
    assert await pages_of(ana, path, numbers, limit=200, after=ids[0]) == [[1, 2, 3, 4], [5, 6, 7]]
    assert await pages_of(ana, path, numbers, limit=200, around=ids[2]) == [[4, 3, 2, 1], [0]]
    assert await pages_of(ana, path, numbers, limit=1, around=ids[2]) == [[2], [1], [0]]


@pytest.mark.filterwarnings("ignore:Sending a large body")
async def test_a_message_longer_than_a_page_has_one_of_its_own(ana):
    entries = [await hears(ana, number, LONGEST_INBOUND_BODY + 5_000) for number in range(2)]
    numbers = {entry["message_id"]: number for number, entry in enumerate(entries)}
    path = f"/conversations/{entries[0]['conversation_id']}/messages"
    assert await pages_of(ana, path, numbers, limit=200) == [[1], [0]]
    _, message = await ana.get(f"/messages/{entries[0]['message_id']}")
    assert len(message["body"]) == LONGEST_INBOUND_BODY
    _, payload = await ana.get(f"/messages/{entries[0]['message_id']}/payload")
    assert len(json.dumps(payload)) > LONGEST_INBOUND_BODY + 5_000


async def test_an_export_has_all_of_them(ana, thread):
    conversation, numbers = thread
    contact = (await ana.get(f"/conversations/{conversation}"))[1]["contact"]["id"]
    for path in ("/me/export", f"/contacts/{contact}/export"):
        _, _, raw = await ana.call("GET", path)
        rows = json.loads(zipfile.ZipFile(io.BytesIO(raw)).read("messages.json"))
        assert [numbers[row["message_id"]] for row in rows] == [*range(8)]
        assert {row["body"][:2] for row in rows} == {f"{number} " for number in range(8)}
        assert not any("bytes_before" in row for row in rows)


async def test_ignored_items_are_shown_a_mebibyte_at_a_time(ana):
    for number in range(5):
        status, answer = await ana.post("/webhooks/whatsapp", {"id": f"g{number}", "event": "presence.update",
            "session": "default", "engine": "NOWEB", "payload": {"number": number, "note": "x" * 500_000}})  # fmt: skip
        assert (status, answer["ignored"]) == (200, 1)
    seen, cursor = [], None
    while True:
        _, page = await ana.get("/webhooks/ignored", limit=200, **({"cursor": cursor} if cursor else {}))
        seen.append([json.dumps(each["payload"]).split('"number": ')[1][0] for each in page["items"]])
        if not (cursor := page["next_cursor"]):
            break
    assert seen == [["4", "3", "2"], ["1", "0"]]
