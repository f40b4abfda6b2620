"""An `Idempotency-Key` while its first request is running, has failed, or was long ago."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from alfred.queries import sql
from tests.api.repeating import MAKING, everything, filled, repeated
from tests.conftest import serving
from tests.people import Person


@pytest.mark.parametrize(("path", "body", "status"), MAKING)
async def test_of_those_that_come_at_once_one_is_served(cluster, database, ana, known_ids, path, body, status):
    counted = "messages" if "messages" in path or "webhooks" in path else path
    path, body = filled(path, known_ids), filled(body, known_ids)
    before = await everything(ana)
    async with serving(cluster.logins(database)) as elsewhere:
        there = Person(ana._http, elsewhere, ana.session)
        answers = await asyncio.gather(*(repeated(person, path, body, "key-1") for person in (ana, there) * 4))
        first = [answer for answer in answers if answer[:2] == (status, None)]
        assert len(first) == 1
        for code, replayed, answer in answers:
            in_progress = (code, answer.get("code"), replayed) == (409, "idempotency_in_progress", None)
            assert in_progress or code == status
        made = await everything(ana)
        assert (await repeated(there, path, body, "key-1"))[:2] == (status, "true")
        assert await everything(ana) == made
        assert made[counted] == before[counted] + 1


async def test_a_failure_of_ours_is_not_remembered(cluster, http):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address)
        await superuser.execute("revoke insert on tasks from alfred_app")
        for _ in range(2):
            status, replayed, problem = await repeated(ana, "/tasks", {"title": "x"}, "key-1")
            assert (status, replayed, problem["code"]) == (500, None, "internal_error")
        await superuser.execute("grant insert on tasks to alfred_app")
        first = await repeated(ana, "/tasks", {"title": "x"}, "key-1")
        assert first[:2] == (201, None)
        assert await repeated(ana, "/tasks", {"title": "x"}, "key-1") == (201, "true", first[2])
        assert len((await ana.get("/tasks"))[1]["items"]) == 1
    await superuser.close()


async def test_while_the_first_is_running_the_next_is_told_to_wait(cluster, http, eventually):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name)) as one, serving(cluster.app(name)) as two:
        ana = await Person.sign_up(http, one)
        there = Person(http, two, ana.session)
        async with superuser.transaction():
            await superuser.execute("lock table tasks in access exclusive mode")
            first = asyncio.create_task(repeated(ana, "/tasks", {"title": "x"}, "key-1"))

            async def waiting():
                return await superuser.fetchval("select count(*) from pg_locks where not granted")

            assert await eventually(waiting)
            status, headers, raw = await there.call(
                "POST", "/tasks", {"title": "x"}, headers={"Idempotency-Key": "key-1"}
            )
            assert (status, json.loads(raw)["code"]) == (409, "idempotency_in_progress")
            assert int(headers["Retry-After"]) > 0
            status, _, problem = await repeated(there, "/tasks", {"title": "y"}, "key-1")
            assert (status, problem["code"]) == (422, "idempotency_key_reused")
        answer = await first
        assert answer[:2] == (201, None)
        assert await repeated(there, "/tasks", {"title": "x"}, "key-1") == (201, "true", answer[2])
    await superuser.close()


async def test_a_key_is_free_again_after_a_day(cluster, database, ana):
    first = await repeated(ana, "/tasks", {"title": "x"}, "key-1")
    superuser = await asyncpg.connect(cluster.superuser(database))
    age = "update idempotency_keys set claimed_at = now() - $2::interval where user_id = $1"
    await superuser.execute(age, ana.id, timedelta(hours=23, minutes=59))
    assert await repeated(ana, "/tasks", {"title": "x"}, "key-1") == (201, "true", first[2])
    await superuser.execute(age, ana.id, timedelta(hours=24, minutes=1))
    status, replayed, second = await repeated(ana, "/tasks", {"title": "y"}, "key-1")
    assert (status, replayed, second["title"]) == (201, None, "y")
    await superuser.close()


async def test_a_late_failure_frees_nobody_elses_claim(ana, app_db):
    """The first died or is late, a second has the key by now: what the first did not do is not forgotten twice."""
    named = {"user_id": UUID(ana.id), "path": "POST /api/v1/tasks", "key": "late"}
    first, second = uuid7(), uuid7()
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        assert await sql.tokens.claim_key.value(app_db, **named, body_hash=b"x", claim_id=first)
        await app_db.execute("update idempotency_keys set claimed_at = claimed_at - interval '61 seconds'")
        assert await sql.tokens.claim_key.value(app_db, **named, body_hash=b"x", claim_id=second)
        assert await sql.tokens.forget_claim.run(app_db, **named, claim_id=first) == 0
        assert (
            await sql.tokens.keep_answer.run(app_db, **named, claim_id=first, status=500, headers={}, answer=b"") == 0
        )
        assert await sql.tokens.forget_claim.run(app_db, **named, claim_id=second) == 1
