"""Signed posts to a hook, at a pace that does not wait for answers: what Meta would see."""

import asyncio
import hashlib
import hmac
import json
import time
import urllib.request

import aiohttp

from bench.ground import Service, User, milliseconds, percentile, post, service, show, sign_up, whatsapp

SECRET = "an app secret"
PER_SECOND = 50
SECONDS = 15
WARM_UP = 20


def main() -> None:
    """Measure, and print."""
    with service() as running:
        user = sign_up(running)
        path = f"{running.api}{_hook(running, user)}"
        for number in range(WARM_UP):
            asyncio.run(_post_all(path, [_signed(number)], PER_SECOND))
        signed = asyncio.run(_post_all(path, [_signed(WARM_UP + n) for n in range(PER_SECOND * SECONDS)], PER_SECOND))
        path = f"{running.api}/webhooks/whatsapp"
        plain = [(whatsapp(f"oi {n}", n % 50, 100_000 + n), user.headers) for n in range(PER_SECOND * SECONDS)]
        by_token = asyncio.run(_post_all(path, plain, PER_SECOND))
    rows = [
        (name, milliseconds(percentile(taken, 0.5)), milliseconds(percentile(taken, 0.99)), milliseconds(max(taken)))
        for name, taken in (("hook, signed", signed), ("webhook, by token", by_token))
    ]
    show(f"{PER_SECOND} posts a second for {SECONDS} s", ("milliseconds", "p50", "p99", "max"), rows)


def _hook(running: Service, user: User) -> str:
    """The path of the hook of a channel that is connected with our secret."""
    channel = post(running, "/channels", {"type": "whatsapp", "name": "Loja"}, user.headers)
    body = {"provider": "whatsapp_cloud", "phone_number_id": "109900000000001", "access_token": "t",
            "app_secrets": [SECRET]}  # fmt: skip
    url = f"{running.api}/channels/{channel['id']}/connection"
    request = urllib.request.Request(url, json.dumps(body).encode(), user.headers, method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        hook = str(json.load(answer)["hook"]["url"])
    return "/hooks/" + hook.rpartition("/hooks/")[2]


def _signed(number: int) -> tuple[bytes, dict[str, str]]:
    raw = whatsapp(f"Bom dia {number}", number % 50, number)
    digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    return raw, {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}


async def _post_all(url: str, posts: list[tuple[bytes, dict[str, str]]], per_second: int) -> list[float]:
    """Seconds of each post, counted from when it was due."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        began = time.perf_counter()

        async def one(number: int, raw: bytes, headers: dict[str, str]) -> float:
            due = began + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            async with http.post(url, data=raw, headers=headers) as answer:
                body = await answer.read()
            if answer.status != 200:  # the provider would repeat it
                print(f"{answer.status} for post {number}: {body[:300].decode('utf-8', 'replace')}")
            return time.perf_counter() - due

        return await asyncio.gather(*[one(n, raw, headers) for n, (raw, headers) in enumerate(posts)])


if __name__ == "__main__":
    main()
