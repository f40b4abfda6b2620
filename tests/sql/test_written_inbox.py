"""What app.inbox_items writes by itself is what Python writes: moments, texts, and what may be sent now."""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest
from pydantic import TypeAdapter

from alfred.senders.policy import HUMAN_WINDOW, WINDOW, Line, policy
from alfred.senders.registry import ABILITIES
from alfred.terms import ChannelType

SECOND = timedelta(seconds=1)
SILENCES = (None, -SECOND, SECOND, WINDOW - SECOND, WINDOW, HUMAN_WINDOW - SECOND, HUMAN_WINDOW)
MOMENTS = ("2026-11-26T19:22:23", "2026-11-26T19:22:23.12", "1999-12-31T23:59:59.999999", "2199-06-01T00:00:00.000001")
TEXTS = ("", 'Olá "Zé" \\ / \n\t\x01\x7f', "\u2028 😀 </script>", None)


async def test_what_may_be_sent_is_what_the_senders_policy_says(app_db):
    lines = [
        Line(kind, provider, active, human_agent=human)
        for kind, provider, active, human in product(
            get_args(ChannelType), (None, *ABILITIES), (True, False), (True, False)
        )
    ]
    async with app_db.transaction():
        now = await app_db.fetchval("select now()")
        for line, silence, opted_out in product(lines, SILENCES, (True, False)):
            wrote_at = None if silence is None else now - silence
            text = await app_db.fetchval(
                "select app.send_policy($1, $2, $3, $4, $5, $6)",
                *(line.type, line.provider, line.active, line.human_agent or None, wrote_at, opted_out),
            )
            assert text == policy(line, wrote_at, now if opted_out else None, now).model_dump_json(), (line, silence)


@pytest.mark.parametrize("text", MOMENTS)
async def test_a_moment_is_written_as_models_write_it(app_db, text):
    at = datetime.fromisoformat(text).replace(tzinfo=UTC)
    assert (
        await app_db.fetchval("select app.json_of($1::timestamptz)", at) == TypeAdapter(datetime).dump_json(at).decode()
    )


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_is_escaped(app_db, text):
    assert json.loads(await app_db.fetchval("select app.json_of($1::text)", text)) == text


async def test_no_function_is_called_for_each_row(root):
    """One that is not taken into its statement costs more than all of what it writes."""
    plan = await root.fetch(
        """
        explain (verbose, costs off)
        select app.json_of(c.snippet), app.json_of(c.active_at), app.json_word(c.status),
               app.send_policy(h.type, k.provider, h.active, (k.options -> 'human_agent') = 'true', c.last_inbound_at,
                               c.last_inbound_at is null)
          from conversations c, channels h, connections k
        """
    )
    assert not [row[0] for row in plan if "app." in row[0]]
