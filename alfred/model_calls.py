"""Asks models from outside: one deadline, one retry at most, and for each tenant a breaker, seats and a cache."""

import asyncio
import hashlib
import random
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from ipaddress import ip_network
from time import monotonic
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel

from alfred.ai.llm.exchange import Account, Failed, Prompt, Rung, Said
from alfred.ai.llm.protocols import PROTOCOLS
from alfred.ai.llm.reading import read_as
from alfred.outbound_http import OutboundHttp
from alfred.terms import FallbackReason

M = TypeVar("M", bound=BaseModel)

CALLS_OF_A_TENANT = 8
CALLS = 64  # of a process
FAILURES_IN_A_ROW, LAST_CALLS, OPEN_SECONDS, OPEN_SECONDS_AUTH = 5, 20, 30.0, 300.0
CACHE_SECONDS, MOST_CACHED, MOST_KNOWN = 600.0, 2_000, 10_000
LEAST_SECONDS = 0.2  # seconds left, for a first attempt too
_REPAIR = "\n\nThe last answer was not the JSON object that was asked for. Answer with that object only."


@dataclass(frozen=True)
class Asked(Generic[M]):
    """What came of a question: an answer, or why there is none; tokens count in either case."""

    answer: M | None
    reason: FallbackReason | None
    milliseconds: int
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None
    input_hash: str = ""


@dataclass
class Breaker:
    """Opens after repeated failures, and lets one call through when its time is over."""

    last: deque[bool] = field(default_factory=lambda: deque(maxlen=LAST_CALLS))
    in_a_row: int = 0
    opens_again_at: float = 0.0
    probing: bool = False

    def lets_through(self, now: float) -> bool:
        """Whether to call; of those who come when its time is over, the first one only."""
        if not self.opens_again_at:
            return True
        if now < self.opens_again_at or self.probing:
            return False
        self.probing = True
        return True

    def note(self, reason: FallbackReason | None, now: float) -> None:
        """What came of a call."""
        was_probe, self.probing = self.probing, False
        self.last.append(reason is None)
        self.in_a_row = 0 if reason is None else self.in_a_row + 1
        often = len(self.last) == LAST_CALLS and self.last.count(False) * 2 >= LAST_CALLS
        if reason is None:
            if was_probe or self.opens_again_at:
                self.last.clear()
            self.opens_again_at = 0.0
        elif reason == "auth":
            self.opens_again_at = now + OPEN_SECONDS_AUTH
        elif was_probe or often or self.in_a_row >= FAILURES_IN_A_ROW:
            self.opens_again_at = now + OPEN_SECONDS


class Models:
    """Asks models; `outbound` calls the tenants' addresses, and a door of its own that of whoever runs the service."""

    def __init__(
        self,
        outbound: OutboundHttp,
        service_wide: Account | None,
        seconds: float,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.service_wide, self.seconds = service_wide, seconds
        self._outbound = outbound
        self._trusted = OutboundHttp((ip_network("0.0.0.0/0"), ip_network("::/0")))
        self._clock = clock
        self._breakers: OrderedDict[tuple[UUID, str, str], Breaker] = OrderedDict()
        self._rungs: OrderedDict[tuple[str, str], Rung] = OrderedDict()
        self._under_way: Counter[UUID] = Counter()
        self._cache: OrderedDict[str, tuple[float, BaseModel]] = OrderedDict()

    async def close(self) -> None:
        """Hang up."""
        await self._trusted.close()

    def is_shut(self, user_id: UUID, account: Account) -> bool:
        """Whether the breaker is open, so that a question would not be asked."""
        breaker = self._breakers.get((user_id, account.base_url, account.model))
        return breaker is not None and self._clock() < breaker.opens_again_at

    def forget(self, user_id: UUID) -> None:
        """The tenant has changed its account: what was learnt of the old one does not count."""
        for key in [key for key in self._breakers if key[0] == user_id]:
            del self._breakers[key]

    async def ask(
        self, user_id: UUID, account: Account, prompt: Prompt, shape: type[M], *, fresh: bool = False
    ) -> Asked[M]:
        """Ask for an answer of a shape, within the deadline; never raises. `fresh` asks whatever is known already."""
        began, key = self._clock(), _hash_of(user_id, account, prompt)
        if not fresh and (known := self._cached(key, shape)) is not None:
            return Asked(known, None, 0, input_hash=key)
        ends_at = (prompt.since or began) + self.seconds
        if ends_at - began < LEAST_SECONDS:
            return Asked(None, "timeout", 0, input_hash=key)  # no fault of the model's
        breaker = self._breaker(user_id, account)
        if self._under_way[user_id] >= CALLS_OF_A_TENANT or self._under_way.total() >= CALLS:
            return Asked(None, "rate_limited", 0, input_hash=key)
        if not fresh and not breaker.lets_through(began):
            return Asked(None, "circuit_open", 0, input_hash=key)
        spent = _Spent()
        with self._seat(user_id, breaker):
            answer, reason = await self._in_time(account, prompt, shape, spent, ends_at)
            breaker.note(reason, self._clock())
        if answer is not None:
            self._keep(key, answer)
        took = round((self._clock() - began) * 1000)
        return Asked(answer, reason, took, spent.input_tokens, spent.output_tokens, spent.cost, key)

    @contextmanager
    def _seat(self, user_id: UUID, breaker: Breaker) -> Iterator[None]:
        """One of the tenant's calls; when whoever asked goes away, the next one may probe."""
        self._under_way[user_id] += 1
        try:
            yield
        finally:
            breaker.probing = False
            self._under_way[user_id] -= 1
            if not self._under_way[user_id]:
                del self._under_way[user_id]

    async def _in_time(
        self, account: Account, prompt: Prompt, shape: type[M], spent: "_Spent", ends_at: float
    ) -> tuple[M | None, FallbackReason | None]:
        try:
            async with asyncio.timeout(ends_at - self._clock()):
                return await self._tried(account, prompt, shape, ends_at, spent), None
        except TimeoutError:
            return None, "timeout"
        except Failed as failure:
            return None, failure.reason

    async def _tried(self, account: Account, prompt: Prompt, shape: type[M], ends_at: float, spent: "_Spent") -> M:
        """One attempt, and a second one where it may help and there is time."""
        try:
            return await self._climbed_down(account, prompt, shape, ends_at, spent)
        except Failed as failure:
            left = ends_at - self._clock()
            needed = self.seconds / 2 if failure.reason == "invalid_output" else LEAST_SECONDS
            wait = failure.after or (random.uniform(0.02, 0.1) if failure.reason != "invalid_output" else 0.0)  # noqa: S311
            if not failure.again or left - wait < needed:
                raise
            if failure.reason == "invalid_output":
                prompt = Prompt(prompt.system, prompt.user + _REPAIR, prompt.schema, prompt.most_tokens)
        await asyncio.sleep(wait)
        return await self._climbed_down(account, prompt, shape, ends_at, spent)

    async def _climbed_down(
        self, account: Account, prompt: Prompt, shape: type[M], ends_at: float, spent: "_Spent"
    ) -> M:
        """One attempt, by the next rung where the server refuses the way in which the shape is asked for.

        A rung is remembered once the server has answered by it: a refusal may have had another cause.
        """
        key, rungs = (account.base_url, account.model), PROTOCOLS[account.protocol].rungs
        first = self._rungs.get(key, rungs[0])
        for rung in rungs[rungs.index(first) :]:
            try:
                said = await self._once(account, prompt, rung, ends_at)
            except Failed as failure:
                if not failure.lower or ends_at - self._clock() < LEAST_SECONDS:
                    raise
                continue
            if rung != first:
                self._remember(key, rung)
            spent.add(said, prompt)
            return read_as(shape, said.text)
        raise Failed("invalid_output")

    async def _once(self, account: Account, prompt: Prompt, rung: Rung, ends_at: float) -> Said:
        protocol = PROTOCOLS[account.protocol]
        call = protocol.call(account, prompt, rung, max(ends_at - self._clock(), 0.05))
        door = self._trusted if account.trusted else self._outbound
        return protocol.said(await door.call(call), rung)

    def _remember(self, key: tuple[str, str], rung: Rung) -> None:
        self._rungs[key] = rung
        if len(self._rungs) > MOST_KNOWN:
            self._rungs.popitem(last=False)

    def _breaker(self, user_id: UUID, account: Account) -> Breaker:
        key = (user_id, account.base_url, account.model)
        breaker = self._breakers.setdefault(key, Breaker())
        self._breakers.move_to_end(key)
        if len(self._breakers) > MOST_KNOWN:
            self._breakers.popitem(last=False)
        return breaker

    def _cached(self, key: str, shape: type[M]) -> M | None:
        kept_until, known = self._cache.get(key, (0.0, None))
        return known if isinstance(known, shape) and kept_until > self._clock() else None

    def _keep(self, key: str, answer: BaseModel) -> None:
        self._cache[key] = (self._clock() + CACHE_SECONDS, answer)
        self._cache.move_to_end(key)
        if len(self._cache) > MOST_CACHED:
            self._cache.popitem(last=False)


def _hash_of(user_id: UUID, account: Account, prompt: Prompt) -> str:
    parts = (str(user_id), account.base_url, account.model, prompt.system, prompt.user)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


@dataclass
class _Spent:
    """Tokens and money of all attempts; where a server tells none, about what its texts would be."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None

    def add(self, said: Said, prompt: Prompt) -> None:
        about = (len(prompt.system) + len(prompt.user)) // 4
        self.input_tokens += about if said.input_tokens is None else said.input_tokens
        self.output_tokens += len(said.text) // 4 if said.output_tokens is None else said.output_tokens
        if said.cost is not None:
            self.cost = (self.cost or Decimal(0)) + said.cost
