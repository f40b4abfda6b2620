"""Background work on aiojobs: what runs for ever, and what runs every so often; it ends with the process."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiojobs
import structlog

log = structlog.get_logger()

Job = Callable[[], Awaitable[Any]]


def scheduler() -> aiojobs.Scheduler:
    """Closes at once: its jobs have no end of their own to wait for."""
    return aiojobs.Scheduler(wait_timeout=1, exception_handler=_tell, limit=None)


async def every(seconds: float, job: Job) -> None:
    """Do it now, and again `seconds` after each time; a failure is told, and the next time comes all the same."""
    while True:
        try:
            await job()
        except Exception as error:
            log.warning("job_failed", job=getattr(job, "__qualname__", repr(job)), error=repr(error), exc_info=error)
        await asyncio.sleep(seconds)


def _tell(_scheduler: aiojobs.Scheduler, context: dict[str, Any]) -> None:
    log.error("background_work_failed", message=context.get("message"), exc_info=context.get("exception"))
