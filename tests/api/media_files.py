"""What tests of files share: a provider that has them, messages that carry them, and how they are asked for."""

import contextlib
import hashlib
import json

import aiohttp
from aiohttp import web

from tests.api.connecting import connected
from tests.hosts import host
from tests.people import cloud

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LIMIT = 300_000


class Peer:
    """A provider on loopback: by path, what it answers; what it was asked."""

    def __init__(self):
        self.answers, self.asked = {}, []

    async def serve(self, request):
        self.asked.append((request.method, request.path, dict(request.headers), await request.read()))
        answer = self.answers[request.path]
        answer = answer.pop(0) if isinstance(answer, list) else answer
        if callable(answer):
            return await answer(request)
        if isinstance(answer, int):
            return web.Response(status=answer)
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/octet-stream")
        return web.json_response(answer)


@contextlib.asynccontextmanager
async def playing():
    peer = Peer()
    async with host(peer.serve) as peer.url:
        yield peer


def picture(media_id="m1", id="wamid.pic", caption="A mesa", sha256=None):
    image = {"id": media_id, "mime_type": "image/png", "sha256": sha256 or "x", "caption": caption}
    message = {"from": "5511900000012", "id": id, "timestamp": "1714564800", "type": "image", "image": image}
    return cloud({"contacts": [{"profile": {"name": "Marina"}, "wa_id": "5511900000012"}], "messages": [message]})


async def content(person, number=0):
    """Of the newest message: its id, and one attachment's content."""
    (conversation,) = await person.conversations()
    message = (await person.messages(conversation["id"]))[0]
    return message["id"], message["attachments"][number]["content"]


async def settled(person, eventually, *, wanted=("stored", "failed")):
    async def ask():
        return await content(person)

    return await eventually(ask, lambda found: found[1]["state"] in wanted)


async def hears_picture(person, peer, **more):
    await connected(person, base_url=peer.url + "/graph", api_version="v26.0")
    status, receipt = await person.post("/webhooks/whatsapp", picture(**more))
    assert status == 200, receipt


def meta_file(peer, sha256=None, body=PNG):
    told = {"url": peer.url + "/file", "mime_type": "image/png", "file_size": len(body)}
    peer.answers["/graph/v26.0/m1"] = told | {"sha256": sha256 or hashlib.sha256(body).hexdigest()}
    peer.answers["/file"] = body


async def upload(person, body=PNG, name="mesa.png", mime="image/png", headers=None):
    form = aiohttp.FormData()
    form.add_field("file", body, filename=name, content_type=mime)
    status, _, raw = await person.call("POST", "/media", data=form, headers=headers)
    return status, json.loads(raw)
