"""What stands under rejected payloads loses the headers that a forwarder wrapped around it, and nothing else."""

import json

import psycopg
import pytest
from uuid_utils.compat import uuid7

from alfred import schema
from tests.migrations.test_stairway import MIGRATIONS, founded

SECRET = {"authorization": "Bearer alf_0_secret"}
INNER = {"unknown": "shape", "n": "7.50"}


@pytest.mark.parametrize(
    ("stood", "stands"),
    [
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
    ],
)
def test_keeps_the_payload_only(headers_stripped, stood, stands):
    body = (stood if isinstance(stood, str) else json.dumps(stood)).encode()
    kept = headers_stripped(body)
    assert b"secret" not in kept
    assert (kept.decode() if isinstance(stands, str) else json.loads(kept)) == stands


@pytest.fixture(scope="module")
def headers_stripped(cluster):
    """What the migration makes of a body."""
    owner = founded(cluster.server, "rejected")
    before = MIGRATIONS.index("0020.numbers")
    schema.apply(owner, before)
    root = cluster.superuser("rejected")

    def strip(body):
        rejected = str(uuid7())
        with psycopg.connect(root) as db:
            user = db.execute("select user_id from users limit 1").fetchone()
            if user is None:
                user = db.execute(
                    """insert into users (user_id, name, email, locale, timezone, currency)
                       values (app.uuid7(), 'a', 'a@example.com', 'pt-BR', 'UTC', 'BRL') returning user_id"""
                ).fetchone()
            db.execute(
                """insert into rejected_webhooks (user_id, rejected_id, channel_type, content_type, body, reason)
                   values (%s, %s, 'whatsapp', 'application/json', %s, 'x')""",
                (user[0], rejected, body),
            )
        schema.apply(owner, 1)
        schema.roll_back(owner, 1)
        with psycopg.connect(root) as db:
            return db.execute("select body from rejected_webhooks where rejected_id = %s", (rejected,)).fetchone()[0]

    return strip
