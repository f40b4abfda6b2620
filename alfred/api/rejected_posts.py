"""Posts of which nothing, or not all, could be read: what is kept of them, and why."""

from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from alfred.channels.item import Reading
from alfred.http.context import Services
from alfred.http.problems import Problem
from alfred.queries import sql
from alfred.quotas import QUOTAS
from alfred.terms import ChannelType


@dataclass(frozen=True)
class Posted:
    """The body of a post, as it came."""

    body: bytes
    content_type: str
    channel_type: ChannelType


class Unreadable(Exception):
    """Nothing of a post can be taken in; `kept` is what to keep of it."""

    def __init__(self, kept: Posted, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.kept = kept
        self.problem = problem


def rejected_of(posted: Posted, reading: Reading) -> tuple[Posted, str]:
    """What to keep of a post of which some items are rejected, and why."""
    return as_read(posted, reading), reason_of(reading)


def reason_of(reading: Reading) -> str:
    """Why some items of a reading are rejected, in a sentence."""
    reasons = [item.reason for item in reading.items if item.rejected and item.reason]
    return reasons[0] if reasons else "No known sender's shape was recognised in a part of this payload."


def as_read(posted: Posted, reading: Reading) -> Posted:
    """The payloads that were rejected, without what a forwarder wrapped around them."""
    if not reading.rejected:
        return posted
    (kept,) = reading.rejected
    return Posted(kept.body, kept.content_type, posted.channel_type)


async def keep_rejected(services: Services, user_id: UUID, posted: Posted, reason: str) -> None:
    """Keep a payload with the reason: one row a post."""
    async with services.database.acting_as(user_id) as db:
        await sql.rejected_webhooks.add.run(
            db,
            user_id=user_id,
            rejected_id=uuid7(),
            channel_type=posted.channel_type,
            content_type=posted.content_type[:500].encode("ascii", "replace").decode(),
            body=posted.body,
            reason=reason,
        )
        await sql.rejected_webhooks.keep_newest.run(
            db, user_id=user_id, most=QUOTAS["rejected_posts"], most_bytes=QUOTAS["rejected_bytes"]
        )
