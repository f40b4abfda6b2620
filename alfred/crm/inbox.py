"""Messages in: take_in() stores what messengers post, several posts in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from alfred.ai.builtin.provider import classify_all
from alfred.ai.provider import Classification
from alfred.channels.item import InboundItem
from alfred.crm.intake import StopWords, is_plain, written_as
from alfred.crm.suppression import Suppression
from alfred.crm.unknown_statuses import UnknownStatuses
from alfred.db import Away, Database, connection_lost, held_by_others
from alfred.heavy_work import HeavyWork
from alfred.log import kind_of
from alfred.queries import Query, sql
from alfred.stages import Together, next_stage
from alfred.turns import QueueInTurn

log = structlog.get_logger()

MOST_IN_BATCH, FEW, ROW_WRITERS = 50, 8, 3
LARGE = 200  # the weight above which a post goes by a writer of its own, or more items than a batch has
MOST_READ_HERE = 4_000  # characters of a post; more take too long for the event loop
RETRY_SECONDS, WAIT_SECONDS = 4.0, 10.0
MOST_WAITING = 20_000  # in all: each item counts one, and one for each KiB of it

KeptFiles = Sequence[Mapping[str, Any] | None]  # rows of media without their keys; None: it did not come


def _is_read(item: InboundItem) -> bool:
    return item.kind == "message" or (item.status == "edited" and not item.from_business)


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of one item; the ids are null where it is about a message that is not known (yet)."""

    duplicate: bool = False
    message_id: str | None = None  # ids as PostgreSQL writes them
    conversation_id: str | None = None
    contact_id: str | None = None
    classification: Classification | None = None


@dataclass
class Post:
    """The items of one webhook post: kept together, or not at all."""

    user_id: UUID
    items: list[dict[str, Any]]
    weight: int
    done: "asyncio.Future[list[dict[str, Any]]]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def urgent(self) -> bool:
        """Whether somebody is told of it."""
        return any((item.get("classification") or {}).get("urgency") == "high" for item in self.items)


def _owner(post: Post) -> UUID:
    return post.user_id


class Inbox:
    """Takes posts in, several in one transaction while others are being written (a micro-batch)."""

    def __init__(
        self,
        database: Database,
        announce: Callable[[Iterable[UUID], Iterable[UUID]], None],
        suppression: Suppression | None = None,
        opt_out_words: Iterable[str] = (),
    ) -> None:
        self._database = database
        self._heavy: HeavyWork | None = None
        self._reading = Together(classify_all)
        self._announce = announce
        self._suppression = suppression or Suppression()
        self._stop_words = StopWords(opt_out_words)
        self._waiting = QueueInTurn[Post](_owner)
        self._rows = QueueInTurn[Post](_owner)  # what is not plain: it goes row by row
        self._large = QueueInTurn[Post](_owner)  # what would hold up the others for seconds
        self._weight = 0  # of what waits, in all
        self._weights: Counter[UUID] = Counter()
        self._unknown = UnknownStatuses(database)

    def read_in(self, heavy: HeavyWork) -> None:
        """Where much text is read."""
        self._heavy = heavy

    async def take_in(self, user_id: UUID, items: Sequence[InboundItem], files: KeptFiles = ()) -> list[TakenIn]:
        """Classify and store the items of one post, in one transaction; returns after its commit, one outcome each.

        `files` are what came along for the message that has attachments, in their order.

        Raises:
            Away: PostgreSQL did not answer in time, or too much waits already. A repetition does no harm.
        """
        readings = await self._readings(user_id, items)
        await next_stage()
        prepared = [self._prepared(user_id, item, reading) for item, reading in zip(items, readings, strict=True)]
        for written in prepared:
            if files and written is not None and written.get("attachments"):
                written["files"] = list(files)
        outcomes: list[dict[str, Any]] = [{} for _ in items]
        writable = [index for index, item in enumerate(prepared) if item is not None]
        if writable:
            results = await self._written(user_id, [item for item in prepared if item is not None])
            await next_stage()
            for index, result in zip(writable, results, strict=True):
                outcomes[index] = result
            await self._note_unknown(user_id, [prepared[index] for index in writable], results)
        return [TakenIn(**outcome, classification=reading) for outcome, reading in zip(outcomes, readings, strict=True)]

    async def _note_unknown(self, user_id: UUID, items: Sequence[Any], results: Sequence[Mapping[str, Any]]) -> None:
        unknown = [
            item
            for item, result in zip(items, results, strict=True)
            if item["kind"] == "update" and item["target"] and result.get("message_id", item) is None
        ]
        if unknown:
            await self._unknown.note(user_id, unknown)

    async def _written(self, user_id: UUID, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Wait in the queue, of which one tenant may fill the half."""
        weight = sum(1 + len(item["raw"]) // 1024 for item in items)
        if self._weight + weight > MOST_WAITING or self._weights[user_id] + weight > MOST_WAITING // 2:
            raise Away("too many messages wait to be written")
        post = Post(user_id, items, weight)
        self._put(self._large if len(items) > MOST_IN_BATCH or weight > LARGE else self._waiting, post)
        # A call costs less than a timeout around the wait. Who gave up is not begun any more.
        patience = asyncio.get_running_loop().call_later(WAIT_SECONDS, _give_up, post)
        try:
            return await post.done
        finally:
            patience.cancel()

    async def run(self) -> None:
        """Write until cancelled.

        One writer takes in what is plain, a batch with a few statements: it waits for no row that somebody holds.
        What it leaves, others write row by row. Large posts have a writer of their own, who does both.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write(self._waiting, self._settle_plain))
            group.create_task(self._write(self._large, self._settle_large))
            for _ in range(ROW_WRITERS):
                group.create_task(self._write(self._rows, self._settle))

    def _prepared(self, user_id: UUID, item: InboundItem, reading: Classification | None) -> dict[str, Any] | None:
        """As the database takes it: with what it would be known by if it was erased, and whether it says stop."""
        written = written_as(user_id, item, reading)
        if written is None:
            return None
        keys = dict.fromkeys(written[name] for name in ("dedupe_key", "target") if written.get(name))
        hashes = [each for key in keys for each in self._suppression.of_message(user_id, item.channel_type, key)]
        written["hashes"] = [each.hex() for each in hashes]
        if item.kind == "message" and self._stop_words.are_said_by(item.text):
            written["opts_out"] = True
        return written

    async def _readings(self, user_id: UUID, items: Sequence[InboundItem]) -> list[Classification | None]:
        """How each item's text reads, where it has one to read; much text is read in another process."""
        texts = [item.text or "" for item in items if _is_read(item)]
        if self._heavy is not None and sum(map(len, texts)) > MOST_READ_HERE:
            found = iter(await self._read_elsewhere(self._heavy, user_id, texts))
        else:
            found = iter(await self._reading.results(texts))
        return [next(found) if _is_read(item) else None for item in items]

    async def _read_elsewhere(self, heavy: HeavyWork, user_id: UUID, texts: list[str]) -> list[Classification]:
        """Some at a time, so that no post takes too long however many texts it brings."""
        found: list[Classification] = []
        for start in range(0, len(texts), MOST_IN_BATCH):
            found += await heavy.run(user_id, classify_all, texts[start : start + MOST_IN_BATCH])
        return found

    def _put(self, queue: QueueInTurn[Post], post: Post) -> None:
        self._weight += post.weight
        self._weights[post.user_id] += post.weight
        queue.put_nowait(post)

    def _taken(self, post: Post) -> Post:
        self._weight -= post.weight
        self._weights[post.user_id] -= post.weight
        if not self._weights[post.user_id]:
            del self._weights[post.user_id]
        return post

    async def _write(self, queue: QueueInTurn[Post], settle: Callable[[list[Post]], Awaitable[None]]) -> None:
        """Half of what waits at a time: while it is written, those who had their answers send and are read."""
        while True:
            posts = [self._taken(await queue.get())]
            size = len(posts[0].items)
            most = min(MOST_IN_BATCH, max(FEW, (1 + queue.qsize()) // 2))
            while size < most and not queue.empty():
                posts.append(self._taken(queue.get_nowait()))
                size += len(posts[-1].items)
            if posts := [post for post in posts if not post.done.done()]:
                await settle(posts)

    async def _settle_plain(self, posts: list[Post]) -> None:
        for post in await self._left_of(posts, sql.inbox.take_in_known):
            self._put(self._rows, post)

    async def _settle_large(self, posts: list[Post]) -> None:
        if left := await self._left_of(posts, sql.inbox.take_in_new):
            await self._settle(left)

    async def _left_of(self, posts: list[Post], query: Query) -> list[Post]:
        """Write the posts of plain messages together; what is none, or turns out to be none, is left."""
        plain = [post for post in posts if all(is_plain(item) for item in post.items)]
        outcomes: dict[int, list[Any]] = {}
        if plain:
            try:
                taken = iter(await self._insert(query, plain))
                outcomes = {id(post): [next(taken) for _ in post.items] for post in plain}
            except Exception as error:  # noqa: BLE001 what is wrong with one of them is told row by row
                if connection_lost(error):
                    _fail(plain, error)
                log.info("posts_left", error=kind_of(error), posts=len(plain))
        written = [post for post in plain if None not in outcomes.get(id(post), [None])]
        for post in written:
            _resolve(post, outcomes[id(post)])
        self._announce({post.user_id for post in written}, {post.user_id for post in written if post.urgent})
        return [post for post in posts if not post.done.done()]

    async def _settle(self, posts: list[Post], *, again: bool = False) -> None:
        """Write posts together; when that fails, each alone, so that a bad one fails alone."""
        try:
            taken = iter(await self._insert(sql.inbox.take_in, posts))
        except Exception as error:  # noqa: BLE001 handed to whoever waits for it
            erased = getattr(error, "sqlstate", None) == "23503"  # a person or the user, after being found
            if len(posts) > 1 and not connection_lost(error):
                await self._settle_each(posts)
            elif erased and not again:
                await self._settle(posts, again=True)
            else:
                _fail(posts, Away("somebody was erased, twice") if erased else error)
            return
        for post in posts:
            _resolve(post, [next(taken) for _ in post.items])
        self._announce({post.user_id for post in posts}, {post.user_id for post in posts if post.urgent})

    async def _settle_each(self, posts: list[Post]) -> None:
        """One by one; behind a lock that did not open, a tenant's other posts do not wait for it again."""
        stuck: dict[UUID, BaseException] = {}
        for post in posts:
            if post.user_id in stuck:
                _resolve(post, stuck[post.user_id])
                continue
            await self._settle([post])
            if post.done.done() and not post.done.cancelled():
                error = post.done.exception()
                if error is not None and held_by_others(error):
                    stuck[post.user_id] = error

    async def _insert(self, query: Query, posts: list[Post]) -> list[Any]:
        """One round-trip; when the connection breaks, the same again with the same ids: repeating does no harm."""
        items = [item | {"post": number} for number, post in enumerate(posts) for item in post.items]
        deadline = asyncio.get_running_loop().time() + RETRY_SECONDS
        order = sorted(range(len(items)), key=lambda index: items[index]["key"])
        while True:
            try:
                results = await self._database.once(query, items=[items[index] for index in order])
                break
            except Exception as error:
                if not connection_lost(error) or asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.2)
        by_index = dict(zip(order, results, strict=True))
        return [by_index[index] for index in range(len(items))]


def _give_up(post: Post) -> None:
    _resolve(post, Away("the message could not be written in time"))


def _fail(posts: Sequence[Post], error: Exception) -> None:
    log.warning("posts_failed", error=kind_of(error), posts=len(posts))
    for post in posts:
        _resolve(post, error)


def _resolve(post: Post, outcome: "list[dict[str, Any]] | BaseException") -> None:
    if post.done.done():
        return
    if isinstance(outcome, BaseException):
        post.done.set_exception(outcome)
    else:
        post.done.set_result(outcome)
