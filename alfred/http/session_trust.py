"""Whether the session of an access token goes on, asked of the database at most once a second for each."""

import time
from collections import OrderedDict
from uuid import UUID

from alfred.db import Database
from alfred.queries import sql

_SECONDS = 1.0
_MOST = 10_000


class SessionTrust:
    """What ends in this process is ended at once; what ends in another one, within a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: OrderedDict[tuple[UUID, UUID | None], float] = OrderedDict()

    async def holds(self, user_id: UUID, session_id: UUID | None) -> bool:
        """Whether it goes on; without a session (a token of before they had names), whether its user is there."""
        key = user_id, session_id
        if time.monotonic() - self._asked.get(key, -_SECONDS) < _SECONDS:
            return True
        asked_at = time.monotonic()
        if not await self._database.once(sql.sessions.holds, user_id=user_id, session_id=session_id):
            return False
        self._asked[key] = asked_at
        if len(self._asked) > _MOST:
            self._asked.popitem(last=False)
        return True

    def forget(self) -> None:
        """Something ended: ask anew."""
        self._asked.clear()
