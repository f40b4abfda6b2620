"""What a message leaves behind in PostgreSQL: bytes of each table and index, of the log of writes, and its processor.

The tables are measured after VACUUM. What updates leave in the indexes of conversations stops growing: the more
messages, the less of it counts.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import uvloop

from bench.ground import Service, fresh_home, service, show, sign_up
from bench.load import rate, webhooks

TENANTS, CONTACTS, CLIENTS = 16, 100, 32
SLICE_SECONDS = 2.5
SMALLEST = 1.0  # bytes a message, below which a table is not shown

_SIZES = """
select t.relname, coalesce(i.relname, ''),
       case when i.oid is null then pg_table_size(t.oid) else pg_relation_size(i.oid) end
  from pg_class t
  left join lateral (select null::oid as oid, null as relname
                      union all
                     select c.oid, c.relname from pg_index x join pg_class c on c.oid = x.indexrelid
                      where x.indrelid = t.oid) i on true
 where t.relkind = 'r' and t.relnamespace = 'public'::regnamespace
"""
Sizes = dict[tuple[str, str], int]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=30_000, help="that are measured; as many before them")
    messages: int = parser.parse_args().messages
    with fresh_home() as home, service(home, rate_limit="100000000") as at:
        tokens = [sign_up(at).headers["Authorization"].removeprefix("Bearer ") for _ in range(TENANTS)]
        make = webhooks(tokens, CONTACTS)
        with psycopg.connect(at.dsn("postgres"), autocommit=True) as superuser:
            _post(at, superuser, make, messages)
            first, before, written = _count(superuser), _sizes(superuser), _written(superuser)
            processor = _post(at, superuser, make, messages)
            written = _written(superuser) - written
            count, after = _count(superuser) - first, _sizes(superuser)
    show(f"bytes a message, of {count:,} messages after {first:,}", ("table", "index", "bytes"),
         [*_rows(before, after, count), ("log of writes", "", f"{written / count:.0f}"),
          ("ms of PostgreSQL's processor", "", f"{processor:.3f}")])  # fmt: skip


def _post(at: Service, superuser: psycopg.Connection[Any], make: Callable[[], bytes], messages: int) -> float:
    """So many more messages; milliseconds that PostgreSQL took for each."""
    until, spent, posted = _count(superuser) + messages, 0.0, 0.0
    while _count(superuser) < until:
        run = uvloop.run(rate([at.address], make, CLIENTS, SLICE_SECONDS, [[at.pid], [at.server_pid]]))
        spent += run.database_cpu * run.per_second
        posted += run.per_second
    return spent / posted


def _count(superuser: psycopg.Connection[Any]) -> int:
    return int(superuser.execute("select count(*) from messages").fetchall()[0][0])


def _written(superuser: psycopg.Connection[Any]) -> int:
    return int(superuser.execute("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchall()[0][0])


def _sizes(superuser: psycopg.Connection[Any]) -> Sizes:
    """Of each table without its indexes, and of each index."""
    superuser.execute("vacuum")
    return {(table, index): size for table, index, size in superuser.execute(_SIZES)}


def _rows(before: Sizes, after: Sizes, count: int) -> Iterator[tuple[str, str, str]]:
    """The largest table first, each with its indexes, and the sum."""
    grown = {key: (size - before[key]) / count for key, size in after.items()}
    whole: dict[str, float] = {}
    for (table, _), each in grown.items():
        whole[table] = whole.get(table, 0.0) + each
    for table in sorted(whole, key=lambda table: -whole[table]):
        if whole[table] >= SMALLEST:
            yield table, "", f"{grown[table, '']:.0f}"
            yield from (("", index, f"{each:.0f}") for (of, index), each in grown.items() if of == table and index)
    yield "all", "", f"{sum(whole.values()):.0f}"


if __name__ == "__main__":
    main()
