"""GET /conversations in tenants of 100,000 and of 1,000 conversations: first and deep page, filters, their numbers."""

import asyncio
import statistics
import time

import aiohttp
import psycopg

from alfred.http.pages import encode
from bench.ground import Service, User, fill, service, show, sign_up, spread

MANY, FEW = 100_000, 1_000
TIMES = 60


QUERIES = {
    "first page": "?limit=50",
    "after nine tenths": "?limit=50&cursor={cursor}",
    "first 200": "?limit=200",
    "urgent (1 %)": "?limit=10&urgency=high",
    "tagged (1 in 1,000)": "?limit=1&tag=vip",
    "closed (none)": "?limit=50&status=closed",
    "unread (two thirds)": "?limit=50&unread_only=true",
    "needs reply (the oldest 10 %)": "?limit=50&needs_reply=true",
    "longest waiting first": "?limit=50&sort=waiting",
    "numbers of the filters": "/counts",
}


def conversations_of(count: int) -> tuple[str, ...]:
    """One of a hundred is urgent, one of a thousand has a tag."""
    return (
        """
    insert into channels (user_id, channel_id, type, name)
    values (app.current_user_id(), app.current_user_id(), 'whatsapp', 'Loja')
    """,
        "drop index contacts_search",
        f"""
    insert into contacts (user_id, contact_id, name, handle, channel_type)
    select app.current_user_id(), app.uuid7(), 'Cliente ' || n, '+5511' || lpad(n::text, 9, '0'), 'whatsapp'
      from generate_series(1, {count}) n
    """,
        """
    create index contacts_search on contacts
        using gin (user_id, norm gin_trgm_ops) with (gin_pending_list_limit = 512)
    """,
        f"""
    insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, active_at, last_message_at,
                               last_message_direction, snippet, unread_count, waiting_since, sentiment, urgency, tags)
    select user_id, app.uuid7(), contact_id, user_id, handle, now() - make_interval(mins => n),
           now() - make_interval(mins => n), 'inbound', 'Bom dia, a mesa ainda está à venda?', n % 3,
           case when n > {count * 9 // 10} then now() - make_interval(mins => n) end, 'neutral',
           case when n % 100 = 0 then 'high' else 'low' end,
           case when n % 1000 = 0 then array['vip'] else '{{}}' end
      from (select *, (row_number() over (order by contact_id))::int as n
              from contacts where user_id = app.current_user_id()) c
    """,
    )


def main() -> None:
    """Measure, and print."""
    with service() as running:
        users = {count: _with_conversations(running, count) for count in (MANY, FEW)}
        taken = asyncio.run(_ask_both(running, users))
    rows = [
        (name, *spread(many), *spread(few)[:1], f"{statistics.median(many) / statistics.median(few):.2f}")
        for name, (many, few) in taken.items()
    ]
    header = ("", "median", "p95", "max", f"median of {FEW:,}", "ratio")
    show(f"GET /conversations among {MANY:,}, milliseconds", header, rows)
    first, deep = (statistics.median(many) for many, _ in list(taken.values())[:2])
    print(f"deep / first page (medians): {deep / first:.2f}")


def _with_conversations(running: Service, count: int) -> User:
    user = sign_up(running)
    fill(running, conversations_of(count), ("contacts", "conversations"), user)
    return user


async def _ask_both(running: Service, users: dict[int, User]) -> dict[str, list[list[float]]]:
    """The seconds of each query's answers, of the large tenant and of the small one, in turns."""
    taken: dict[str, list[list[float]]] = {}
    for name, query in QUERIES.items():
        taken[name] = [[], []]
        for _ in range(3):
            for answers, (count, user) in zip(taken[name], users.items(), strict=True):
                where = query.format(cursor=_cursor(running, user, count)) if "{" in query else query
                answers.extend(await _ask(running, user, where))
    return taken


def _cursor(running: Service, user: User, count: int) -> str:
    """Where the page after the first nine tenths begins."""
    with psycopg.connect(running.dsn("postgres")) as superuser:
        row = superuser.execute(
            """
            select active_at, conversation_id from conversations where user_id = %s
             order by active_at desc, conversation_id desc offset %s limit 1
            """,
            (user.user_id, count * 9 // 10 - 1),
        ).fetchone()
    assert row is not None
    return encode("conversations.page", (row[0].isoformat(), row[1]))


async def _ask(running: Service, user: User, query: str) -> list[float]:
    """The seconds of each answer, one after the other over one connection."""
    taken = []
    async with aiohttp.ClientSession(headers=user.headers) as http:
        for number in range(TIMES // 3 + 5):
            began = time.perf_counter()
            async with http.get(f"{running.api}/conversations{query}") as answer:
                if answer.status != 200:
                    raise SystemExit(await answer.text())
                await answer.read()
            if number >= 5:
                taken.append(time.perf_counter() - began)
    return taken


if __name__ == "__main__":
    main()
