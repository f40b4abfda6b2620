"""A bell for one sleeper."""

import asyncio


class Heartbeat:
    """What an idle stream is woken for, to say that it is still there."""


class Wake:
    """Like asyncio.Event for one who waits: an Event keeps a queue for many, and a process thousands of streams."""

    __slots__ = ("_sleeper",)

    def __init__(self) -> None:
        self._sleeper: asyncio.Future[Heartbeat | None] | None = None

    def ring(self, heartbeat: Heartbeat | None = None) -> None:
        """Wake who sleeps now; nothing is kept for later, so look before you sleep."""
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(heartbeat)

    def sleep(self) -> asyncio.Future[Heartbeat | None]:
        """Until somebody rings; a heartbeat if it was only that."""
        self._sleeper = asyncio.get_running_loop().create_future()
        return self._sleeper
