"""Messages a second into a database of 1,000,000 messages, against one of 10,000, in turns; about three minutes.

python -m bench.growth [--messages 1000000]

Two services, each on a PostgreSQL of its own, take in 10,000 messages over HTTP. In the larger one copies of these are
laid by SQL, as older messages of the same conversations, with their payloads and events, which the bus has read.
"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg
import uvloop

from bench.ground import Service, service, show, sign_up
from bench.load import Rate, rate, webhooks

TENANTS, CONTACTS, CLIENTS = 16, 100, 16
FEW = 10_000
TURNS, SECONDS = 5, 4.0
PORTION = 10  # copies of each message at a time

_BEFORE = (
    "set session_replication_role = replica",
    "set maintenance_work_mem = '512MB'",
    "create temp table first as select * from messages",
    "create temp table told as select * from ai_events where message_id is not null and type like 'message.%'",
    "drop index messages_search",
)
_COPIES = """
create temp table copies on commit drop as
    select f.user_id, f.message_id as was, app.uuid7() as message_id, n
      from generate_series(%(since)s::integer, %(until)s::integer) n cross join first f order by n, f.message_id
"""
_LAID = (
    "create index on copies (was)",
    "analyze copies",
    """insert into messages (user_id, message_id, conversation_id, channel_id, direction, external_id, dedupe_key, body,
                             status, classification, sent_at, created_at, subject, references_)
       select f.user_id, c.message_id, f.conversation_id, f.channel_id, f.direction, f.external_id || '-' || c.n,
              f.dedupe_key || '-' || c.n, f.body, f.status, f.classification, f.sent_at - make_interval(mins => c.n),
              f.created_at - make_interval(mins => c.n), f.subject, f.references_
         from copies c join first f on f.message_id = c.was order by c.n, c.was""",
    """insert into message_payloads (user_id, message_id, payload)
       select c.user_id, c.message_id, p.payload
         from copies c join message_payloads p on p.message_id = c.was order by c.message_id""",
    """insert into ai_events (xid, user_id, type, contact_id, conversation_id, message_id, payload, created_at)
       select t.xid, t.user_id, t.type, t.contact_id, t.conversation_id, c.message_id, t.payload, t.created_at
         from copies c join told t on t.message_id = c.was order by c.n, t.number""",
)
_AFTER = (
    "create index messages_search on messages using gin (user_id, norm gin_trgm_ops) with (gin_pending_list_limit=512)",
)


@dataclass
class Side:
    """A service, what is posted to it, and what came of it."""

    at: Service
    make: Callable[[], bytes]
    rates: list[Rate] = field(default_factory=list)
    messages: int = 0

    def post(self, seconds: float) -> Rate:
        """For so long."""
        at = self.at
        return uvloop.run(rate([at.address], self.make, CLIENTS, seconds, [[at.pid], [at.server_pid]]))

    def row(self) -> tuple[str, ...]:
        """Medians of its turns."""
        return (
            f"{self.messages:,}",
            f"{statistics.median(each.per_second for each in self.rates):.0f}",
            f"{statistics.median(each.service_cpu for each in self.rates):.2f}",
            f"{statistics.median(each.database_cpu for each in self.rates):.2f}",
        )


def main() -> None:
    """Fill, measure, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--messages", type=int, default=1_000_000)
    many: int = asked.parse_args().messages
    with service(rate_limit="100000000") as small, service(rate_limit="100000000") as large:
        sides = [_filled(small, FEW), _filled(large, many)]
        for turn in range(TURNS):
            for side in sides if turn % 2 else reversed(sides):
                side.rates.append(side.post(SECONDS))
    show("messages/s by what is there already", ("there", "messages/s", "ms of the service", "ms of PostgreSQL"),
         [side.row() for side in sides])  # fmt: skip
    few, lots = (statistics.median(each.per_second for each in side.rates) for side in sides)
    print(f"{many:,} / {FEW:,}: {lots / few:.2f}")


def _filled(at: Service, messages: int) -> Side:
    """The first ones over HTTP, the rest as their copies."""
    tokens = [sign_up(at).headers["Authorization"].removeprefix("Bearer ") for _ in range(TENANTS)]
    side = Side(at, webhooks(tokens, CONTACTS))
    with psycopg.connect(at.dsn("postgres"), autocommit=True) as superuser:
        while side.messages < FEW:
            side.post(1.0)
            side.messages = _count(superuser)
        copies = messages // side.messages - 1
        if copies > 0:
            _lay(superuser, copies)
        for statement in ("vacuum (analyze)", "checkpoint"):
            superuser.execute(statement)
        side.messages = _count(superuser)
    side.post(2.0)
    return side


def _lay(superuser: "psycopg.Connection[tuple[object, ...]]", copies: int) -> None:
    _run(superuser, _BEFORE)
    for since in range(1, copies + 1, PORTION):
        with superuser.transaction():
            superuser.execute(_COPIES, {"since": since, "until": min(since + PORTION - 1, copies)})
            _run(superuser, _LAID)
    _run(superuser, _AFTER)


def _run(superuser: "psycopg.Connection[tuple[object, ...]]", statements: Sequence[str]) -> None:
    for statement in statements:
        superuser.execute(statement.encode())


def _count(superuser: "psycopg.Connection[tuple[object, ...]]") -> int:
    (count,) = superuser.execute("select count(*)::integer from messages").fetchall()[0]
    return int(str(count))


if __name__ == "__main__":
    main()
