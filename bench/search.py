"""Search in a tenant of 200,000 messages, against a conversation by its key, and against SQL without the index.

python -m bench.search [--beside 800000]: so many messages of another tenant in the same tables, which takes a minute.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import aiohttp
import asyncpg

from alfred.db import prepare
from bench.ground import Service, User, fill, milliseconds, service, show, sign_up

MESSAGES, CONVERSATIONS = 200_000, 2_000
TERMS = {"rare word": "jacarandá", "common word": "mesa", "two letters": "kg", "no hit": "zzyzx"}
TIMES = 9

_WITHOUT_INDEX = "drop index messages_search"
_INDEX = """
create index messages_search on messages using gin (user_id, norm gin_trgm_ops) with (gin_pending_list_limit = 512)
"""


def talk_of(messages: int, conversations: int) -> tuple[str, ...]:
    """Of 16 words each message has 8; one of a thousand names its tree, one of 2,500 its weight."""
    return (
        """
    insert into channels (user_id, channel_id, type, name)
    values (app.current_user_id(), app.current_user_id(), 'whatsapp', 'Loja')
    """,
        f"""
    insert into contacts (user_id, contact_id, name, handle, channel_type)
    select app.current_user_id(), app.uuid7(), 'Cliente ' || n, '+5511' || lpad(n::text, 9, '0'), 'whatsapp'
      from generate_series(1, {conversations}) n
    """,
        """
    insert into conversations (user_id, conversation_id, contact_id, channel_id, handle, active_at)
    select user_id, app.uuid7(), contact_id, user_id, handle,
           now() - make_interval(mins => row_number() over (order by contact_id)::int)
      from contacts where user_id = app.current_user_id()
    """,
        f"""
    insert into messages (user_id, message_id, conversation_id, channel_id, direction, dedupe_key, body, status,
                          sent_at)
    select user_id, app.uuid7(), conversation_id, channel_id, 'inbound', conversation_id || ' ' || n,
           (select string_agg(w[1 + (hashtext(c.conversation_id::text || n || k) & 15)], ' ')
              from generate_series(1, 8) k)
           || case when hashtext(c.conversation_id::text || n) % 1000 = 0 then ' jacarandá' else '' end
           || case when hashtext(c.conversation_id::text || n) % 2500 = 7 then ' 30 kg' else '' end,
           'received', c.active_at - make_interval(secs => n)
      from conversations c,
           generate_series(1, {messages // conversations}) n,
           (select array['bom', 'dia', 'a', 'mesa', 'chegou', 'quando', 'posso', 'buscar', 'o', 'pedido', 'obrigada',
                         'preço', 'entrega', 'amanhã', 'loja', 'cadeira']) as words (w)
     where c.user_id = app.current_user_id()
    """,
    )


_SEARCH = "select count(*) from app.search_conversations($1)"
_PLAIN = "select count(distinct conversation_id) from messages where user_id = $1 and norm like app.like_pattern($2)"


def main() -> None:
    """Measure, and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--beside", type=int, default=0)
    beside = asked.parse_args().beside
    with service() as running:
        user = sign_up(running)
        fill(running, (_WITHOUT_INDEX, *talk_of(MESSAGES, CONVERSATIONS)), (), user)
        if beside:
            fill(running, talk_of(beside, beside // 8), (), sign_up(running))
        fill(running, (_INDEX,), ("contacts", "conversations", "messages"), user)
        rows = asyncio.run(_measure(running, user))
    header = (
        "milliseconds, median",
        "found",
        "GET /conversations?q=",
        "/ by key",
        "search",
        "plain SQL",
        "plain / search",
    )
    show(f"search in {MESSAGES:,} messages of {CONVERSATIONS:,} conversations, beside {beside:,}", header, rows)
    print(f"plain / search (rare word): {rows[0][-1]}")


async def _measure(running: Service, user: User) -> list[tuple[str, ...]]:
    """A row for each term; the application's login asks, under the tenant's hat."""
    rows: list[tuple[str, ...]] = []
    connection = await asyncpg.connect(running.dsn("alfred_app"))
    await prepare(connection)
    async with aiohttp.ClientSession(headers=user.headers) as http, connection.transaction():
        await connection.execute(f"select app.act_as('{user.user_id}')")
        conversation_id = await connection.fetchval("select conversation_id from conversations limit 1")

        async def by_key() -> object:
            async with http.get(f"{running.api}/conversations/{conversation_id}") as answer:
                return await answer.json()

        for name, term in TERMS.items():

            async def over_http(term: str = term) -> object:
                async with http.get(f"{running.api}/conversations", params={"q": term, "limit": "50"}) as answer:
                    return await answer.json()

            async def search(term: str = term) -> object:
                return await connection.fetchval(_SEARCH, term)

            async def plain(term: str = term) -> object:
                return await connection.fetchval(_PLAIN, UUID(user.user_id), term)

            found = await search()
            if name != "two letters" and await plain() != found:  # two letters are also looked for in names
                raise SystemExit(f"{term}: search found {found}, plain SQL another number")
            known, asked, searched, scanned = [await _median(call) for call in (by_key, over_http, search, plain)]
            times = (milliseconds(asked), f"{asked / known:.1f}", milliseconds(searched), milliseconds(scanned),
                     f"{scanned / searched:.1f}")  # fmt: skip
            rows.append((f"{name} ({term})", str(found), *times))
    await connection.close()
    return rows


async def _median(call: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
