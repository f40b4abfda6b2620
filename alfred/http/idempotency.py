"""Idempotency-Key: whoever repeats a request gets the first answer again, and nothing is made twice."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web
from uuid_utils.compat import uuid7

from alfred.http.context import REQUEST_ID, Services
from alfred.http.problems import Fault, Problem, invalid, problem_of, response_of
from alfred.queries import Db, sql

HEADER = "Idempotency-Key"
LONGEST_PATH = 500


@dataclass(frozen=True)
class Claim:
    """The right to run a request; its answer is kept in the transaction of its effects."""

    user_id: UUID
    path: str
    key: str
    claim_id: UUID
    secrets: Sequence[str] = ()

    @property
    def _named(self) -> dict[str, Any]:
        return {"user_id": self.user_id, "path": self.path, "key": self.key}

    async def keep(self, db: Db, response: web.Response) -> None:
        """What is shown once only is not kept: in the repeated answer it is null."""
        body = bytes(response.body) if isinstance(response.body, bytes | bytearray) else b""
        if self.secrets and body:
            body = json.dumps({k: None if k in self.secrets else v for k, v in json.loads(body).items()}).encode()
        await sql.tokens.keep_answer.run(
            db,
            **self._named,
            claim_id=self.claim_id,
            status=response.status,
            headers={"Content-Type": response.headers.get("Content-Type", "")},
            answer=body,
        )

    async def forget(self, db: Db) -> None:
        """Let the next one try."""
        await sql.tokens.forget_claim.run(db, **self._named, claim_id=self.claim_id)


async def claimed(
    request: web.Request, services: Services, user_id: UUID, body: bytes, secrets: Sequence[str]
) -> "Claim | web.Response":
    """The claim to run the request, or the answer that was kept.

    Raises:
        Problem: 409 while the first is running, 422 `idempotency_key_reused` with another body.
    """
    key = request.headers[HEADER]
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise invalid([Fault(HEADER, "must have 1 to 255 printable characters", "invalid_key")])
    hashed = hashlib.sha256(body).digest()
    claim = Claim(user_id, _scope_of(request), key, uuid7(), secrets)
    named = {"user_id": user_id, "path": claim.path, "key": key}
    async with services.database.acting_as(user_id) as db:
        if await sql.tokens.claim_key.value(db, **named, body_hash=hashed, claim_id=claim.claim_id):
            await sql.tokens.sweep_keys.run(db, user_id=user_id)
            return claim
        kept = await sql.tokens.kept_answer.one(db, **named)
    if kept is None or (kept["status"] is None and kept["body_hash"] == hashed):
        raise Problem(409, "idempotency_in_progress", "The first request with this key is still running.",
                      headers={"Retry-After": "1"})  # fmt: skip
    if kept["body_hash"] != hashed:
        raise Problem(422, "idempotency_key_reused", "This key was already used with another body. Use a new key.")
    headers = {name: value for name, value in kept["headers"].items() if value}
    return web.Response(status=kept["status"], body=kept["answer"], headers=headers | {"Idempotent-Replayed": "true"})


def _scope_of(request: web.Request) -> str:
    """What a key holds for; of a path that no index row has room for, a digest."""
    path = f"{request.method} {request.rel_url.raw_path}"
    return path if len(path) <= LONGEST_PATH else f"{request.method} {hashlib.sha256(path.encode()).hexdigest()}"


async def once(
    request: web.Request, services: Services, user_id: UUID, body: bytes, run: Callable[[], Awaitable[web.Response]]
) -> web.StreamResponse:
    """For a handler that has read its body by itself; `body` is what must be the same when a key comes again.

    Raises:
        Problem: as `claimed` and the run do.
    """
    if HEADER not in request.headers:
        return await run()
    claim = await claimed(request, services, user_id, body, ())
    if isinstance(claim, web.Response):
        return claim

    async def kept() -> web.StreamResponse:
        response = await run()
        async with services.database.acting_as(user_id) as db:
            await claim.keep(db, response)
        return response

    return await settled(request, services, claim, kept)


async def settled(
    request: web.Request, services: Services, claim: Claim, run: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Run a claimed request: a refusal is kept like an answer, a failure of ours is forgotten."""
    try:
        return await run()
    except Exception as error:
        problem = problem_of(error)
        async with services.database.acting_as(claim.user_id) as db:
            if problem.status < 500:
                await claim.keep(db, response_of(problem, request[REQUEST_ID]))
            else:
                await claim.forget(db)
        raise problem from error
