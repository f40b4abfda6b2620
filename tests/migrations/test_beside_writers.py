"""A migration of a service that is written to waits for who writes, and holds nothing meanwhile that they need next."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from alfred import schema
from tests.migrations.test_stairway import MIGRATIONS

SINCE = MIGRATIONS.index("0080.first_classification")
# As taking in holds them: first to read, then to write.
HELD = [
    ("messages", "access share"),
    ("messages", "row exclusive"),
    ("message_payloads", "row exclusive"),
    ("conversations", "row exclusive"),
    ("ai_events", "row exclusive"),
]
WAITING = """select coalesce(bool_or(wait_event_type = 'Lock'), false) from pg_stat_activity
              where datname = current_database() and usename = 'alfred_owner'"""


def beside_writer(root, step, count):
    """Takes the step while somebody has locked the first tables, who then locks the rest at once."""
    with psycopg.connect(root) as writer, psycopg.connect(root, autocommit=True) as db, ThreadPoolExecutor() as threads:
        for table, mode in HELD[:count]:
            writer.execute(f"lock table {table} in {mode} mode")
        going = threads.submit(step)
        while not going.done() and db.execute(WAITING).fetchone() != (True,):
            time.sleep(0.01)
        if not going.done():
            for table, mode in HELD[count:]:
                writer.execute(f"lock table {table} in {mode} mode nowait")
        writer.commit()
        going.result()


@pytest.mark.parametrize("count", range(1, len(HELD)))
def test_who_writes_and_who_migrates_do_not_wait_for_each_other(cluster, count):
    name = cluster.copy()
    owner, root = cluster.owner(name), cluster.superuser(name)
    for _ in MIGRATIONS[SINCE:]:
        beside_writer(root, lambda: schema.roll_back(owner, 1), count)
    for _ in MIGRATIONS[SINCE:]:
        beside_writer(root, lambda: schema.apply(owner, 1), count)
