"""Refuses what would be one too many of a kind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID

from alfred.http.problems import Problem
from alfred.queries import Db, sql
from alfred.quotas import QUOTAS

Counted = Literal["tokens", "rules", "flows", "channels", "connections"]


async def make_room(db: Db, user_id: UUID, kind: Counted) -> None:
    """Call it in the transaction that adds one.

    Raises:
        Problem: 409 `too_many_tokens`, `too_many_rules` and so on.
    """
    await sql.quotas.hold.run(db, user_id=user_id, kind=kind)
    count = await getattr(sql.quotas, f"count_{kind}").value(db, user_id=user_id)
    if count >= QUOTAS[kind]:
        raise Problem(409, f"too_many_{kind}", f"There are {QUOTAS[kind]} {kind} already: delete some to make room.")


@asynccontextmanager
async def within_size(db: Db, user_id: UUID, kind: Literal["rules", "flows"]) -> AsyncIterator[None]:
    """Around what stores one; it may be as large as the bound on all, or make them smaller.

    Raises:
        Problem: 409 `rules_too_large`, `flows_too_large`.
    """
    await sql.quotas.hold.run(db, user_id=user_id, kind=kind)
    size = getattr(sql.quotas, f"size_of_{kind}")
    before = await size.value(db, user_id=user_id)
    yield
    if await size.value(db, user_id=user_id) > max(before, QUOTAS["rules_size" if kind == "rules" else "flows_size"]):
        detail = f"All {kind} together would be too large: make this one shorter, or delete some."
        raise Problem(409, f"{kind}_too_large", detail)
