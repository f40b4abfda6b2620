"""Statuses, edits and reactions of messages that are not there: some are early, a flood of them is not kept."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any
from uuid import UUID

import structlog

from alfred.db import Database
from alfred.queries import sql
from alfred.quotas import QUOTAS

log = structlog.get_logger()

DAY = 86_400.0
_MOST_TENANTS = 10_000


class UnknownStatuses:
    """How many more of each tenant are kept: a bucket that refills in a day, in this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left: OrderedDict[UUID, tuple[float, float]] = OrderedDict()  # and when that was so

    async def note(self, user_id: UUID, items: Sequence[Mapping[str, Any]]) -> None:
        """These were written just now (as crm/intake writes them), and their messages are unknown."""
        over = items[self._take(user_id, len(items)) :]
        if not over:
            return
        log.info("unknown_statuses_not_kept", user_id=str(user_id), count=len(over))
        async with self._database.acting_as(user_id) as db:
            await sql.messages.forget_unknown.run(
                db,
                user_id=user_id,
                types=[item["channel_type"] for item in over],
                targets=[item["target"] for item in over],
                kinds=[item["update"] for item in over],
                details=[item["detail"] for item in over],
            )

    def _take(self, user_id: UUID, wanted: int) -> int:
        """How many of them may stay."""
        most, now = QUOTAS["unknown_statuses"], monotonic()
        left, at = self._left.pop(user_id, (float(most), now))
        left = min(most, left + (now - at) * most / DAY)
        taken = min(wanted, int(left))
        self._left[user_id] = (left - taken, now)
        if len(self._left) > _MOST_TENANTS:
            self._left.popitem(last=False)
        return taken
