"""Time to read headers and filters, and to search, grows at most linearly with what a stranger writes."""

import math
import time

import pytest

from tests.pure.test_text_speed import PIECES, SLOWER, TIMES, TRIES

NOTHING_TO_MEASURE = 0.04  # seconds: a request takes some anyway
LONGEST_HEADER = 6_000
LONGEST_PARAMETER = 5_000
FILTERS = {
    "/conversations": ("q", "tag", "status", "cursor", "contact_id", "limit"),
    "/contacts": ("q", "channel", "vip", "cursor"),
    "/tasks": ("due_before", "status", "overdue"),
    "/messages": ("conversation_id", "status", "cursor"),
    "/events": ("after", "type", "wait"),
    "/notifications": ("seen", "type", "cursor"),
    "/reports/messages": ("from", "to", "by"),
    "/ai/usage": ("from", "to"),
}


async def seconds_for(call):
    best = math.inf
    for _ in range(2):
        began = time.process_time()
        status = await call()
        assert status < 500
        best = min(best, time.process_time() - began)
        if best < NOTHING_TO_MEASURE:
            break
    return best


async def grows_linearly(large, small):
    for _ in range(TRIES):  # others of this machine make one slower, never all
        spent = await seconds_for(large)
        if spent < NOTHING_TO_MEASURE:
            return True
        if spent < max(await seconds_for(small), NOTHING_TO_MEASURE / TIMES) * TIMES * SLOWER:
            return True
    return False


@pytest.mark.parametrize("header", ["If-None-Match", "Accept-Language", "Accept-Encoding", "Last-Event-ID", "Origin"])
async def test_headers(ana, http, header):
    async def ask(text):
        headers = ana.headers | {header: text}
        statuses = []
        for path in ("/", "/api/v1/me"):
            async with http.get(ana.address + path, headers=headers) as answer:
                await answer.read()
                statuses.append(answer.status)
        return max(statuses)

    for piece in {"".join(c for c in piece if " " <= c < "\x7f") for piece in PIECES} - {"", " "}:
        large, small = ((piece * size)[:size].strip() for size in (LONGEST_HEADER, LONGEST_HEADER // TIMES))
        assert await grows_linearly(lambda: ask(large), lambda: ask(small)), piece  # noqa: B023 called at once


@pytest.mark.parametrize("path", FILTERS)
async def test_filters_of_lists(ana, path):
    async def ask(text):
        return max([(await ana.get(path, **{name: text}))[0] for name in FILTERS[path]])

    for piece in PIECES:
        large, small = ((piece * size)[:size] for size in (LONGEST_PARAMETER // 5, LONGEST_PARAMETER // 5 // TIMES))
        assert await grows_linearly(lambda: ask(large), lambda: ask(small)), piece  # noqa: B023 called at once


@pytest.mark.parametrize("piece", ["a", "a ", "ab", "1", "é", "%", "_", "\\", "a%"])
async def test_searches(ana, piece):
    """With the text that is searched, and with the text that is looked for. PostgreSQL searches: on its clock."""
    entries = [await ana.hears(f"{piece * size}{piece}b"[: size + 2], f"+551190000{size}") for size in (5_000, 20_000)]
    assert len({entry["contact_id"] for entry in entries}) == 2

    async def took(length, contact_id):
        best = math.inf
        for _ in range(3):
            began = time.perf_counter()
            query = {"q": f"{(piece * 200)[: length - 1]}b", "contact_id": contact_id}
            status, _ = await ana.get("/conversations", **query)
            assert status == 200
            best = min(best, time.perf_counter() - began)
        return best

    small, large = (entry["contact_id"] for entry in entries)
    for less, more in (((200, small), (200, large)), ((50, large), (200, large))):
        for _ in range(TRIES):
            spent = await took(*more)
            allowed = max(await took(*less), NOTHING_TO_MEASURE / TIMES) * TIMES * SLOWER
            if spent < max(NOTHING_TO_MEASURE, allowed):
                break
        assert spent < max(NOTHING_TO_MEASURE, allowed), (less, more)
