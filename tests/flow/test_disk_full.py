"""PostgreSQL without room: what writes is refused and can come again, reading goes on, nothing is started anew."""

import asyncpg
import pytest

from tests.conftest import serving
from tests.people import Person, whatsapp

TABLES = ("messages", "tasks")
# What the server says when it cannot extend a file; here at a write, or only when the transaction commits.
FULL = """
create function no_room() returns trigger language plpgsql as $$
begin
    raise exception 'could not extend file: No space left on device' using errcode = 'disk_full';
end $$;
"""
TRIGGER = """
create constraint trigger no_room after insert on {} deferrable initially {} for each row execute function no_room()
"""


@pytest.mark.parametrize("moment", ["immediate", "deferred"])
async def test_what_writes_is_refused_until_there_is_room(cluster, http, moment, log):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    await superuser.execute(FULL)
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address)
        entry = await ana.hears("oi", id="first")
        for table in TABLES:
            await superuser.execute(TRIGGER.format(table, moment))
        asked = [
            ("/webhooks/whatsapp", whatsapp("tudo bem?", "+5511900000012", id="second")),
            ("/tasks", {"title": "Ligar"}),
        ]
        for number, (path, body) in enumerate(asked, 1):
            status, headers, raw = await ana.call("POST", path, body)
            assert (status, b"database_unavailable" in raw) == (503, True), raw
            assert int(headers["Retry-After"]) >= 1
            assert str(log).count('"state":"53100","event":"database_full"') == number
        assert [each["body"] for each in await ana.messages(entry["conversation_id"])] == ["oi"]
        assert (await ana.get("/health/ready"))[0] == 200
        for table in TABLES:
            await superuser.execute(f"drop trigger no_room on {table}")
        assert [(await ana.post(path, body))[0] for path, body in asked] == [200, 201]
        assert [each["body"] for each in await ana.messages(entry["conversation_id"])] == ["tudo bem?", "oi"]
    await superuser.close()
