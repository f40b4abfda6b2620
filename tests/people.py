"""People who use the service over HTTP, and speak its domain's words."""

import asyncio
import contextlib
import itertools
import json
import secrets

_numbers = itertools.count(1)


class Person:
    """A user; every call answers (status, decoded body)."""

    def __init__(self, http, address, session=None):
        self._http, self.address = http, address
        self.session = session or {}
        self.headers = {}
        if session:
            self.headers["Authorization"] = f"Bearer {session['access_token']}"

    @classmethod
    async def sign_up(cls, http, address, name="Ana", **profile):
        email = f"{name.lower()}-{secrets.token_hex(6)}@example.com"
        body = {"name": name, "email": email, "password": "a good password", **profile}
        status, session = await cls(http, address).post("/auth/register", body)
        assert status == 201, session
        person = cls(http, address, session)
        person.email, person.id = email, session["user"]["id"]
        return person

    async def call(self, method, path, body=None, *, data=None, headers=None, **query):
        """As it is: (status, headers, bytes)."""
        url = f"{self.address}/api/v1{path}" if not path.startswith("http") else path
        params = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
        all_headers = {**self.headers, **(headers or {})}
        async with self._http.request(
            method, url, json=body, data=data, params=params or None, headers=all_headers
        ) as response:
            return response.status, response.headers, await response.read()

    async def _decoded(self, method, path, *arguments, **options):
        status, _, raw = await self.call(method, path, *arguments, **options)
        return status, json.loads(raw) if raw else None

    async def get(self, path, **options):
        return await self._decoded("GET", path, **options)

    async def post(self, path, body=None, **options):
        return await self._decoded("POST", path, body, **options)

    async def patch(self, path, body, **options):
        return await self._decoded("PATCH", path, body, **options)

    async def put(self, path, body, **options):
        return await self._decoded("PUT", path, body, **options)

    async def delete(self, path, body=None, **options):
        return await self._decoded("DELETE", path, body, **options)

    async def made(self, path, body):
        """What a POST that must succeed has made."""
        status, answer = await self.post(path, body)
        assert status == 201, (status, answer)
        return answer

    async def hears(self, text, sender="+5511900000012", **more):
        """A customer's WhatsApp message arrives; its entry of the webhook's answer."""
        payload = whatsapp(text, sender, **more)
        for _ in range(40):  # a messenger posts again what was refused for now
            status, receipt = await self.post("/webhooks/whatsapp", payload)
            if status != 503:
                break
            await asyncio.sleep(0.25)
        assert status == 200, receipt
        return receipt["messages"][0]

    async def conversations(self, **filters):
        status, page = await self.get("/conversations", **filters)
        assert status == 200, page
        return page["items"]

    async def messages(self, conversation_id):
        status, page = await self.get(f"/conversations/{conversation_id}/messages")
        assert status == 200, page
        return page["items"]

    async def events(self, type=None, **filters):
        status, page = await self.get("/events", **({"type": type} if type else {}), **filters)
        assert status == 200, page
        return page["items"]

    async def notifications(self, **filters):
        status, page = await self.get("/notifications", **filters)
        assert status == 200, page
        return page["items"]

    def listening(self, **options):
        """The stream of notifications; `await frames.next()` gives the next frame as a dict of its lines."""
        return self._stream("notifications", **options)

    def following(self, **options):
        """The stream of all events."""
        return self._stream("events", **options)

    @contextlib.asynccontextmanager
    async def _stream(self, noun, *, headers=None, **query):
        url = f"{self.address}/api/v1/{noun}/stream"
        async with self._http.get(url, params=query, headers={**self.headers, **(headers or {})}) as response:
            assert response.status == 200, await response.text()
            yield Frames(response)


class Frames:
    def __init__(self, response):
        self.response = response

    async def next(self, seconds=30.0):
        """The next event; comments and the retry line are passed over. None when the stream ends."""
        async with asyncio.timeout(seconds):
            while True:
                lines = {}
                while (line := (await self.response.content.readline()).decode()) not in {"\n", ""}:
                    name, _, value = line.rstrip("\n").partition(": ")
                    lines[name] = value
                if "data" in lines:
                    return lines | {"data": json.loads(lines["data"])}
                if not line:
                    return None


def whatsapp(
    text, sender="+5511900000012", *, id=None, at=1714564800, name="Marina Quintela", account="109900000000001"
):
    """A message as WhatsApp's Cloud API posts it."""
    digits = sender.lstrip("+")
    message = {
        "from": digits,
        "id": id or f"wamid.test{next(_numbers)}",
        "timestamp": str(at),
        "type": "text",
        "text": {"body": text},
    }
    return cloud({"contacts": [{"profile": {"name": name}, "wa_id": digits}], "messages": [message]}, account)


def cloud(value, account="109900000000001"):
    """WhatsApp's envelope around a value."""
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": account}, **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }


def delivery(external_id, status, sender="+5511900000012", account="109900000000001", at=1714564900, **more):
    """A delivery status as WhatsApp's Cloud API posts it."""
    told = {"id": external_id, "status": status, "timestamp": str(at), "recipient_id": sender.lstrip("+"), **more}
    return cloud({"statuses": [told]}, account)
