"""A mail server reached through the guarded door, encrypted as its connection says, and logged in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal

import aiosmtplib

from alfred.http_calls import NoAnswer
from alfred.outbound_http import OutboundHttp, Refused

Step = Literal["connect", "tls", "auth"]


class SmtpRefused(Exception):
    """The server said no; `step` is what it answered to."""

    def __init__(self, step: Step, status: int, words: str) -> None:
        super().__init__(f"{step} {status}")
        self.step, self.status, self.words = step, status, words


class SmtpSilent(Exception):
    """The server could not be reached, or not safely."""

    def __init__(self, answer: NoAnswer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


@asynccontextmanager
async def smtp_session(door: OutboundHttp, smtp: Mapping[str, Any], seconds: float) -> AsyncIterator[aiosmtplib.SMTP]:
    """A session that is ready for MAIL; `smtp` is the connection's. Whatever fails inside is the caller's.

    Raises:
        SmtpSilent: refused by us, unreachable, no TLS where it is wanted.
        SmtpRefused: the server's own answer.
    """
    seconds = door.within(seconds)
    client = await _connected(door, smtp, seconds)
    try:
        await _secured(client, smtp)
        await _logged_in(client, smtp)
        yield client
    finally:
        with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit(timeout=min(seconds, 2))
        client.close()


async def _connected(door: OutboundHttp, smtp: Mapping[str, Any], seconds: float) -> aiosmtplib.SMTP:
    try:
        sock = await door.connect(smtp["host"], smtp["port"])
    except Refused:
        raise SmtpSilent(NoAnswer("before", "private_address")) from None
    except TimeoutError:
        raise SmtpSilent(NoAnswer("before", "timeout")) from None
    except OSError:
        raise SmtpSilent(NoAnswer("before", "refused")) from None
    client = aiosmtplib.SMTP(
        hostname=smtp["host"], sock=sock, use_tls=smtp["security"] == "tls", start_tls=False, timeout=seconds
    )
    try:
        await client.connect()
    except aiosmtplib.SMTPConnectResponseError as error:
        raise SmtpRefused("connect", error.code, error.message) from None
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        sock.close()
        reason: Literal["insecure", "broken"] = "insecure" if smtp["security"] == "tls" else "broken"
        raise SmtpSilent(NoAnswer("before", reason)) from None
    return client


async def _secured(client: aiosmtplib.SMTP, smtp: Mapping[str, Any]) -> None:
    """STARTTLS or nothing: the password never goes in the clear where encryption is wanted."""
    if smtp["security"] != "starttls":
        return
    try:
        await client.starttls(server_hostname=smtp["host"])
    except (aiosmtplib.SMTPException, OSError, TimeoutError):
        raise SmtpSilent(NoAnswer("before", "insecure")) from None


async def _logged_in(client: aiosmtplib.SMTP, smtp: Mapping[str, Any]) -> None:
    if not smtp.get("username") or not smtp.get("password"):
        return
    try:
        await client.login(smtp["username"], smtp["password"])
    except aiosmtplib.SMTPResponseException as error:
        raise SmtpRefused("auth", error.code, error.message) from None
    except aiosmtplib.SMTPException:  # the server offers no way to log in
        raise SmtpRefused("auth", 538, "no way to log in is offered") from None
    except (OSError, TimeoutError):
        raise SmtpSilent(NoAnswer("before", "broken")) from None
