"""Refuses what would be one too many of a kind."""

from typing import Literal
from uuid import UUID

from alfred.http.problems import Problem
from alfred.queries import Db, sql
from alfred.quotas import QUOTAS


async def make_room(db: Db, user_id: UUID, kind: Literal["tokens", "rules", "flows"]) -> None:
    """Call it in the transaction that adds one.

    Raises:
        Problem: 409 `too_many_tokens`, `too_many_rules`, `too_many_flows`.
    """
    await sql.quotas.hold.run(db, user_id=user_id, kind=kind)
    count = await getattr(sql.quotas, f"count_{kind}").value(db, user_id=user_id)
    if count >= QUOTAS[kind]:
        raise Problem(409, f"too_many_{kind}", f"There are {QUOTAS[kind]} {kind} already: delete some to make room.")
