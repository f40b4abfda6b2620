"""What stands under rejected payloads loses the headers that a forwarder wrapped around it, and nothing else."""

import json

import psycopg
import pytest
from uuid_utils.compat import uuid7

from alfred import schema
from tests.migrations.test_stairway import MIGRATIONS, founded

SECRET = {"authorization": "Bearer alf_0_secret"}
INNER = {"unknown": "shape", "n": "7.50"}


CASES = [
    ({"headers": SECRET, "params": {}, "query": {}, "body": INNER}, INNER),
    ([{"json": {"headers": SECRET, "body": INNER}}], [INNER]),
    ({"headers": SECRET, "body": "From: a"}, "From: a"),
    (INNER, INNER),
    ({"data": {"headers": "no wrapper"}}, {"data": {"headers": "no wrapper"}}),
    (
        '{"headers": {"authorization": "Bearer alf_0_secret"}, "body": "\\u0000"',
        '{"headers": {}, "body": "\\u0000"',
    ),
    ("plain text", "plain text"),
]


@pytest.fixture(scope="module")
def kept(cluster):
    """What the migration makes of each body."""
    owner, root = founded(cluster.server, "rejected"), cluster.superuser("rejected")
    schema.apply(owner, MIGRATIONS.index("0020.numbers"))
    with psycopg.connect(root) as db:
        (user,) = db.execute(
            """insert into users (user_id, name, email, locale, timezone, currency)
               values (app.uuid7(), 'a', 'a@example.com', 'pt-BR', 'UTC', 'BRL') returning user_id"""
        ).fetchone()
        ids = [uuid7() for _ in CASES]
        for rejected_id, (stood, _) in zip(ids, CASES, strict=True):
            body = (stood if isinstance(stood, str) else json.dumps(stood)).encode()
            db.execute(
                """insert into rejected_webhooks (user_id, rejected_id, channel_type, content_type, body, reason)
                   values (%s, %s, 'whatsapp', 'application/json', %s, 'x')""",
                (user, rejected_id, body),
            )
    schema.apply(owner, 1)
    with psycopg.connect(root) as db:
        found = dict(db.execute("select rejected_id, body from rejected_webhooks").fetchall())
    return [found[rejected_id] for rejected_id in ids]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_keeps_the_payload_only(kept, number):
    body, (_, stands) = kept[number], CASES[number]
    assert b"secret" not in body
    assert (body.decode() if isinstance(stands, str) else json.loads(body)) == stands
