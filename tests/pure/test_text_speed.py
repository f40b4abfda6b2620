"""Time to read grows at most linearly with what a stranger writes, at every entrance for text."""

import contextlib
import gc
import json
import math
import time
from datetime import UTC, datetime

import pytest

from alfred.ai.builtin import follow_ups, prices, provider, replies
from alfred.ai.builtin.topics import topics_of
from alfred.ai.provider import FollowUpRequest, PriceRequest, ReplyRequest
from alfred.api.contact_files.cells import mentions, number_of
from alfred.api.contact_files.csv_table import disarmed, read_table, rearmed
from alfred.channels.address import decode_words, readable_mailbox
from alfred.channels.html_text import words
from alfred.channels.mail import message_id
from alfred.channels.phones import variants
from alfred.channels.strict_json import parsed
from alfred.crm.intake import StopWords
from alfred.flows.definition import validate
from alfred.http.inputs import load_json
from alfred.http.pages import decode
from alfred.positions import Position
from alfred.rules.comparing import Text
from alfred.rules.sentence.compiler import compile as compile_rule

TIMES = 4  # as much of it
SLOWER = 2.5  # linear work is TIMES as slow; quadratic work TIMES * TIMES
NOTHING_TO_MEASURE = 0.012  # seconds
TRIES = 3
NOW = datetime(2026, 1, 1, tzinfo=UTC)

PIECES = [
    "-a", "-a ", "a@a.", "a,a,", "(", "((a", "&amp;", "&#", "<a ", "<", "=?utf-8?q?a?= ", "=?", "\u0301",
    "a\u0301", "1", "1.", "1,", " ", "\t", "😀", "\n", "\r\n", '"', '""', '"a",', "'", "“", "http://a.", "R$ 1,",
    "1h ", "5th ", "100% ", "mil e ", "a", "A. ", "?", "…", "ﷺ", "ß", "não ", "no ", "e ", "ou a ", "tag ",
    "& nuevas ", "either ", "neither a nor b ", "das 2 às ", "me avise ", "cliente vip ", "problema ", "ok? ",
    ":) ", "[", "{", '{"a":', "\\", "\\u", "+", "=", "%41", "|", "a:b|", "<a@b> ", "cid:a", "\x00", "\x1b",
]  # fmt: skip


def turn(text):
    return {"texts": (text, text)}


def table(text):
    read_table(f"name,handle\r\n{text}".encode(), ["name", "handle"], 100_000)


def flow(text):
    when = {"field": "message.text", "op": "contains", "value": text}
    validate({"start": text, "nodes": [{"id": text, "type": "condition", "when": when, "yes": text, "no": None}]})


# What reads a text, and the longest that it reads.
ENTRANCES = {
    "a rule's sentence": (compile_rule, 1_000),
    "a message": (provider.classify, 4_000),
    "a turn to answer": (lambda text: replies.reply(ReplyRequest(**turn(text)), "mock"), 1_500),
    "a turn to price": (lambda text: prices.price(PriceRequest(**turn(text), base_price=10), "mock"), 1_500),
    "a turn to follow up": (lambda text: follow_ups.follow_up(FollowUpRequest(**turn(text), now=NOW), "mock"), 1_500),
    "topics of facts": (lambda text: topics_of([text]), 4_000),
    "a text that conditions compare": (lambda text: Text.of(text).contains("a b"), 20_000),
    "words that stop": (StopWords(("sair",)).are_said_by, 20_000),
    "a definition of a flow": (flow, 20_000),
    "a contact file": (table, 20_000),
    "cells of a contact file": (lambda text: (disarmed(text), rearmed(text)), 20_000),
    "identities of a contact file": (lambda text: mentions({"handle": number_of(text), "identities": text}), 20_000),
    "a JSON body": (lambda text: load_json(text.encode("utf-8", "replace")), 20_000),
    "a text in a JSON body": (lambda text: load_json(json.dumps({"text": text}).encode()), 20_000),
    "JSON in a field": (parsed, 20_000),
    "a page of HTML": (words, 20_000),
    "encoded words": (decode_words, 20_000),
    "a sender": (readable_mailbox, 20_000),
    "ids of mails": (message_id, 20_000),
    "a number": (variants, 20_000),
    "a position in the log": (Position.read, 20_000),
    "a cursor": (lambda text: decode("rules", text), 20_000),
}  # fmt: skip


def seconds_of(read, text):
    """Of one reading; what it refuses is read too."""
    gc.collect(0)
    start = time.process_time()
    try:
        read(text)
    except RecursionError:
        return math.inf
    except Exception:  # noqa: BLE001 refusing is another test's matter
        pass
    return time.process_time() - start


def grows_linearly(read, piece, longest):
    """By the best of three readings of each; one of the large text that is fast enough will do."""
    large, small = ((piece * size)[:size] for size in (longest, longest // TIMES))
    spent = seconds_of(read, large)
    if spent < NOTHING_TO_MEASURE:
        return True
    best = min(seconds_of(read, small) for _ in range(3))
    enough = max(best, NOTHING_TO_MEASURE / TIMES) * TIMES * SLOWER
    return spent < enough or any(seconds_of(read, large) < enough for _ in range(2))


@pytest.mark.parametrize("name", ENTRANCES)
def test_time_grows_at_most_linearly(name):
    read, longest = ENTRANCES[name]
    with contextlib.suppress(Exception):
        read("Oi, tudo bem?")  # word lists are read at the first text
    slow = [piece for piece in PIECES if not grows_linearly(read, piece, longest)]
    for _ in range(TRIES):  # others of this machine make one slower, never all
        slow = [piece for piece in slow if not grows_linearly(read, piece, longest)]
    assert not slow
