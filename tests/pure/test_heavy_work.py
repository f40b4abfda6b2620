"""Heavy work in other processes: its results and errors come back, it ends in time, tenants take turns."""

import asyncio
import os
import subprocess
import sys
import time
from uuid import uuid4

import pytest

from alfred import heavy_work
from alfred.ai.builtin.provider import classify_all
from alfred.channels.posts import read_post
from alfred.channels.strict_json import BrokenJson
from alfred.heavy_work import MOST_OF_ONE, MOST_WAITING, HeavyWork, TookTooLong, WorkersBusy
from alfred.http.problems import problem_of


@pytest.fixture
async def heavy():
    work = HeavyWork(seconds=5)
    yield work
    work.close()


ON_THE_LOOP_OF_THE_SERVICE = """
import asyncio, uuid
from alfred.heavy_work import HeavyWork
from alfred.serving import loop_factory

async def work():
    heavy = HeavyWork(seconds=5)
    try:
        return await heavy.run(uuid.uuid4(), len, "abc")
    finally:
        heavy.close()

with asyncio.Runner(loop_factory=loop_factory()) as runner:
    print(runner.run(work()))
"""


def test_it_works_on_the_loop_of_the_service():
    """uvloop starts processes by itself, and knows fewer options."""
    program = [sys.executable, "-c", ON_THE_LOOP_OF_THE_SERVICE]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=30, check=False)
    assert ended.stdout == "3\n", ended.stderr


async def test_results_and_errors_come_back(heavy):
    ana = uuid4()
    (reading,) = await heavy.run(ana, classify_all, ["Preciso disso hoje, é urgente!"])
    assert reading.urgency == "high"
    with pytest.raises(BrokenJson, match="line 1"):
        await heavy.run(ana, read_post, b"{", "application/json", "whatsapp")
    first = await heavy.run(ana, os.getpid)
    assert first == await heavy.run(ana, os.getpid) != os.getpid()


async def test_ctrl_c_in_a_terminal_is_not_for_the_process(heavy):
    assert await heavy.run(uuid4(), os.getpgrp) != os.getpgrp()


async def test_the_environment_of_the_service_stays_with_it(heavy, monkeypatch):
    monkeypatch.setenv("ALFRED_SECRET_KEY", "x" * 40)
    assert await heavy.run(uuid4(), os.getenv, "ALFRED_SECRET_KEY") is None


async def test_a_process_steps_back_when_it_has_worked_for_a_while(heavy):
    """A short job of a process that has just been started does not wait for everybody else."""
    ana = uuid4()
    before = await heavy.run(ana, os.getpriority, os.PRIO_PROCESS, 0)
    assert before == os.getpriority(os.PRIO_PROCESS, 0)
    await heavy.run(ana, sum, range(60_000_000))
    assert await heavy.run(ana, os.getpriority, os.PRIO_PROCESS, 0) == min(19, before + 5)


async def test_what_takes_too_long_is_ended_and_the_next_goes_on():
    heavy = HeavyWork(seconds=1)
    try:
        ana = uuid4()
        lost = await heavy.run(ana, os.getpid)
        with pytest.raises(TookTooLong):
            await heavy.run(ana, time.sleep, 60)
        assert await heavy.run(ana, os.getpid) != lost
    finally:
        heavy.close()


async def test_a_process_that_dies_is_replaced(heavy):
    ana = uuid4()
    with pytest.raises(asyncio.IncompleteReadError):
        await heavy.run(ana, os._exit, 1)
    assert await heavy.run(ana, len, "abc") == 3


async def test_one_tenant_has_one_turn_and_a_few_waiting(heavy):
    ana, bruno = uuid4(), uuid4()
    await heavy.run(ana, len, "")
    jobs = [asyncio.create_task(heavy.run(ana, time.sleep, 0.1)) for _ in range(MOST_OF_ONE + 3)]
    await asyncio.sleep(0)
    assert await heavy.run(bruno, len, "abc") == 3  # beside them
    assert not all(job.done() for job in jobs)
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(WorkersBusy) == 3


async def test_who_has_used_little_goes_before_who_has_used_much(heavy, monkeypatch):
    monkeypatch.setattr(heavy_work, "LIGHT_SECONDS", 0.05)
    greedy, ana = [uuid4() for _ in range(6)], uuid4()
    await asyncio.gather(*(heavy.run(each, time.sleep, 0.1) for each in greedy))
    done = []

    async def job(user_id, seconds):
        await heavy.run(user_id, time.sleep, seconds)
        done.append(user_id)

    jobs = [asyncio.create_task(job(each, 0.1)) for each in greedy for _ in range(2)]
    await asyncio.sleep(0.02)
    await job(ana, 0.01)
    assert done.index(ana) <= heavy_work.PROCESSES
    await asyncio.gather(*jobs)


async def test_a_first_job_is_taken_where_others_have_filled_the_queue(heavy):
    await heavy.run(uuid4(), len, "")
    greedy = [uuid4() for _ in range(MOST_WAITING // MOST_OF_ONE)]
    jobs = [asyncio.create_task(heavy.run(each, time.sleep, 0.01)) for each in greedy for _ in range(MOST_OF_ONE)]
    await asyncio.sleep(0)
    with pytest.raises(WorkersBusy):
        await heavy.run(greedy[0], len, "")
    assert await heavy.run(uuid4(), len, "abc") == 3
    await asyncio.gather(*jobs)


async def test_one_thread_computes_at_a_time(heavy):
    running, most = 0, 0

    def compute(number):
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        running -= 1
        return number

    assert await asyncio.gather(*(heavy.in_thread(compute, number) for number in range(5))) == [*range(5)]
    assert most == 1
    with pytest.raises(ZeroDivisionError):
        await heavy.in_thread(lambda: 1 / 0)
    assert await heavy.in_thread(len, "abc") == 3


def test_who_has_to_wait_is_told_so():
    assert (problem_of(WorkersBusy()).status, problem_of(WorkersBusy()).headers) == (503, {"Retry-After": "5"})
    assert (problem_of(TookTooLong()).status, problem_of(TookTooLong()).code) == (422, "too_complex")
