"""A bell for one sleeper."""

import asyncio


class Wake:
    """Like asyncio.Event for one who waits: an Event keeps a queue for many, and a process thousands of streams."""

    __slots__ = ("_sleeper",)

    def __init__(self) -> None:
        self._sleeper: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake who sleeps now; nothing is kept for later, so look before you sleep."""
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)

    async def sleep(self) -> None:
        """Until somebody rings."""
        self._sleeper = asyncio.get_running_loop().create_future()
        try:
            await self._sleeper
        finally:
            self._sleeper = None
