"""Who somebody is: passwords (bcrypt), access tokens (JWT) and opaque tokens (kept as hashes)."""

import asyncio
import hashlib
import os
import secrets
import string
import time
import unicodedata
import zlib
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import bcrypt
import jwt
from uuid_utils.compat import uuid7

from alfred.turns import Turns

ISSUER, AUDIENCE, CELL = "alfred", "alfred-api", "0"
MOST_VERIFIED = 10_000  # access tokens that a process remembers
CLOCK_LEEWAY_SECONDS = 30
LONGEST_PASSWORD = 72  # bytes of its normal form; bcrypt reads no further
_MOST_WAITING = 500
_DIGEST = 31  # letters of a bcrypt hash after its cost and salt
T = TypeVar("T")


class BadAccount(Exception):
    """An e-mail, a name or a password that cannot be taken; the text is for the operator."""


class BadToken(Exception):
    """An access token that is forged, expired or of another kind."""


def _step_back() -> None:
    """A login storm is patient: its threads yield to those that serve requests."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, 0, 15)


def in_normal_form(password: str) -> str:
    """One visible password may come composed or decomposed, by device and browser."""
    return unicodedata.normalize("NFC", password)


class Passwords:
    """bcrypt in a few threads of low priority; what waits for them is bounded."""

    def __init__(self, cost: int) -> None:
        self._cost = cost
        workers = min(os.cpu_count() or 1, 4)
        self._threads = ThreadPoolExecutor(workers, "bcrypt", initializer=_step_back)
        self._turns = Turns(workers, _MOST_WAITING)
        self._hashing = Turns(max(1, workers - 1), _MOST_WAITING)
        self._nobody = bcrypt.gensalt(cost) + b"." * _DIGEST  # takes as long to compare as any, and fits no password

    @asynccontextmanager
    async def turn(self, key: Hashable = None, *, known: bool = False) -> AsyncIterator[None]:
        """Wait for a free thread before judging a login, so that no more guesses run at once than threads.

        Raises:
            TooBusy: too many wait already.
        """
        async with self._turns.turn(key, known=known):
            yield

    async def hash(self, password: str, key: Hashable = None) -> str:
        """The hash to store; a password has at most 72 bytes. One thread is left to those who log in.

        Raises:
            TooBusy: too many wait already.
        """
        async with self._hashing.turn(key), self.turn(key):
            letters = in_normal_form(password).encode()
            return (await self._run(bcrypt.hashpw, letters, bcrypt.gensalt(self._cost))).decode()

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether it fits; without a hash it takes the same time, and does not."""
        return await self.form_that_fits(password, hashed) is not None

    async def form_that_fits(self, password: str, hashed: str | None) -> str | None:
        """The password in the form that the hash was made of: the normal one, or in older hashes another.

        How long it takes depends on the password alone.
        """
        fits: str | None = None
        for form in dict.fromkeys((in_normal_form(password), password, unicodedata.normalize("NFD", password))):
            letters = form.encode("utf-8", "replace")
            matches = await self._run(bcrypt.checkpw, letters[:72], hashed.encode() if hashed else self._nobody)
            if matches and hashed is not None and len(letters) <= LONGEST_PASSWORD and fits is None:
                fits = form
        return fits

    async def _run(self, work: Callable[[bytes, bytes], T], first: bytes, second: bytes) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, first, second)

    def close(self) -> None:
        """Drop what waits."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says; one of before sessions had names has none."""

    user_id: UUID
    session_id: UUID | None
    expires_at: datetime


class AccessTokens:
    """JWTs: the first secret signs, all verify, so that a secret can be changed without logging anybody out."""

    def __init__(self, keys: Sequence[str], ttl: int) -> None:
        self._keys = tuple(keys)
        self._verified: dict[bytes, AccessClaims] = {}  # by digest; the oldest go when it is full
        self.ttl = ttl

    def issue(self, user_id: UUID, session_id: UUID, now: datetime) -> str:
        """A token for `ttl` seconds, as long as the session goes on."""
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": now,
            "exp": now + timedelta(seconds=self.ttl),
            "jti": str(uuid7()),
            "typ": "access",
            "cell": CELL,
        }
        return jwt.encode(claims, self._keys[0], algorithm="HS256")

    def read(self, token: str) -> AccessClaims:
        """Whose token it is, of which session, and until when; one that was verified is known until it expires.

        Raises:
            BadToken: it is not one of ours, or not valid now.
        """
        fingerprint = digest(token)
        known = self._verified.get(fingerprint)
        if known is None or known.expires_at <= datetime.now(UTC):
            self._verified.pop(fingerprint, None)
            known = self._verify(token)
            if len(self._verified) >= MOST_VERIFIED:
                del self._verified[next(iter(self._verified))]
            self._verified[fingerprint] = known
        return known

    def _verify(self, token: str) -> AccessClaims:
        for key in self._keys:
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=["HS256"],
                    audience=AUDIENCE,
                    issuer=ISSUER,
                    options={"require": ["iss", "aud", "sub", "iat", "exp", "jti", "typ"], "verify_iat": False},
                )
                # Clocks of replicas differ a little.
                if claims["typ"] == "access" and float(claims["iat"]) <= time.time() + CLOCK_LEEWAY_SECONDS:
                    session = claims.get("sid")
                    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
                    return AccessClaims(UUID(claims["sub"]), UUID(session) if session else None, expires_at)
            except jwt.InvalidSignatureError:
                continue
            except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError):
                break
        raise BadToken

    def owner_of(self, token: str) -> UUID:
        """Who was given this token, valid now or not: it proves nothing but whom to tell.

        Raises:
            BadToken: it is not one of ours.
        """
        for key in self._keys:
            try:
                claims = jwt.decode(
                    token,
                    key,
                    algorithms=["HS256"],
                    issuer=ISSUER,
                    options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
                )
                return UUID(claims["sub"])
            except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError):
                continue
        raise BadToken


def new_token(kind: str) -> str:
    """An opaque token such as `alf_0_r_...`: kind `r` refreshes, `t` opens a stream; 256 random bits."""
    return f"alf_{CELL}_{kind}_{secrets.token_urlsafe(32)}"


API_PREFIX = f"alf_{CELL}_"
_ALPHABET = string.digits + string.ascii_letters


def new_api_token() -> str:
    """`alf_0_` (so that a leaked one is recognised, and its cell), 40 random characters, 6 of a checksum."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(40))
    return API_PREFIX + body + _checksum(body)


def looks_like_api_token(token: str) -> bool:
    """Whether prefix and checksum fit: a mistyped one is told without asking the database."""
    body = token.removeprefix(API_PREFIX)
    return token.startswith(API_PREFIX) and len(body) == 46 and _checksum(body[:40]) == body[40:]


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode("utf-8", "replace")), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = _ALPHABET[rest] + digits
    return digits


def digest(token: str) -> bytes:
    """What is stored of an opaque token: it is random, so a plain SHA-256 does."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
