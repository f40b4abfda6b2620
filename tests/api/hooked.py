"""A connected channel, and whoever posts to its hook."""

import base64
import json

from tests import signers
from tests.api.connecting import SECRET, connected

APP = SECRET + "app"
JSON = {"Content-Type": "application/json"}
WHSEC = "whsec_" + base64.b64encode(b"a key of twenty-four bytes").decode()


class Hooked:
    """A connected channel, and whoever posts to its hook."""

    def __init__(self, person, channel, answer):
        self.person, self.channel, self.hook = person, channel, answer["hook"]
        self.url = self.hook["url"]

    async def post(self, raw, headers=(), **query):
        return await self.person.call(
            "POST", self.url, data=raw, headers={"Authorization": "", **dict(headers)}, **query
        )

    async def get(self, **query):
        return await self.person.call("GET", self.url, headers={"Authorization": ""}, **query)

    async def posts(self, payload, secret=APP, sign=signers.meta):
        raw = json.dumps(payload).encode()
        status, _, body = await self.post(raw, JSON | sign(raw, secret))
        return status, json.loads(body) if body.startswith(b"{") else body

    async def counted(self, eventually, wanted):
        async def ask():
            return (await self.person.get(f"/channels/{self.channel}"))[1]["hook"]

        return await eventually(ask, wanted)


async def hooked(person, provider="whatsapp_cloud", **more):
    return Hooked(person, *await connected(person, provider, **more))


async def texts(person):
    return sorted([each["snippet"] for each in await person.conversations()])
