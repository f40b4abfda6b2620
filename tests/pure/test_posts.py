"""A post that cannot be read leaves the process that reads it as bytes: to load what it holds would take long."""

import json

from alfred.channels.posts import Kept, read_post

UNKNOWN = {"k1": {"a": [1, 2]}, "k2": "ção"}
GROUP = {"event": "messages.upsert", "instance": "loja", "data": {"key": {"remoteJid": "1-2@g.us", "id": "G1"}}}


def test_a_body_that_nobody_recognises_is_kept_as_posted():
    body = json.dumps(UNKNOWN, indent=1).encode()
    reading = read_post(body, "application/json", "whatsapp")
    assert not reading.recognised
    assert reading.rejected == (Kept(body, "application/json"),)
    assert [item.raw for item in reading.items] == [None]


def test_what_a_forwarder_wrapped_around_it_is_not_kept():
    body = json.dumps({"headers": {"authorization": "Bearer x"}, "body": UNKNOWN}).encode()
    (kept,) = read_post(body, "application/json", "whatsapp").rejected
    assert json.loads(kept.body) == UNKNOWN


def test_of_several_payloads_those_that_are_not_readable_are_kept():
    reading = read_post(json.dumps([GROUP, UNKNOWN]).encode(), "application/json", "whatsapp")
    (kept,) = reading.rejected
    assert (json.loads(kept.body), kept.content_type) == (UNKNOWN, "application/json")
    assert [item.raw is None for item in reading.items] == [False, True]


def test_what_is_read_is_not_kept():
    reading = read_post(json.dumps(GROUP).encode(), "application/json", "whatsapp")
    assert reading.recognised
    assert reading.rejected == ()
