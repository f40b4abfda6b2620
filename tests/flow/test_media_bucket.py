"""Files in a bucket: the calls of S3, answered by a peer on loopback that keeps objects in memory."""

import re
from uuid import uuid4
from xml.sax.saxutils import escape

import pytest
from aiohttp import web

from alfred.media_store import MediaStore


class Bucket:
    """PUT, GET with Range, deletions and list, as S3 has them; who asks is not looked at."""

    def __init__(self):
        self.objects, self.signed = {}, set()

    async def serve(self, request):
        self.signed.add(request.headers.get("Authorization", "")[:16])
        key = request.match_info.get("key", "")
        if request.method == "PUT":
            self.objects[key] = await request.read()
            return web.Response(headers={"ETag": '"1"'})
        if request.method == "POST":  # several deletions at once
            keys = re.findall(r"<Key>(.*?)</Key>", await request.text())
            gone = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
            for key in keys:
                self.objects.pop(key, None)
            return web.Response(text=f"<DeleteResult>{gone}</DeleteResult>", content_type="application/xml")
        if not key:
            return self._list(request.query.get("prefix", ""))
        if key not in self.objects:
            return web.Response(
                status=404, text="<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml"
            )
        body, found = self.objects[key], request.http_range
        part = body[found.start or 0 : found.stop]
        begin = found.start or 0
        headers = {"ETag": '"1"', "Last-Modified": "Fri, 01 May 2026 12:00:00 GMT",
                   "Content-Range": f"bytes {begin}-{begin + len(part) - 1}/{len(body)}"}  # fmt: skip
        return web.Response(status=206, body=part, headers=headers)

    def _list(self, prefix):
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-05-01T12:00:00.000Z</LastModified>"
            f"<ETag>&quot;1&quot;</ETag><Size>{len(body)}</Size></Contents>"
            for key, body in self.objects.items()
            if key.startswith(prefix)
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        return web.Response(text=text, content_type="application/xml")


@pytest.fixture
async def bucket(monkeypatch):
    bucket = Bucket()
    app = web.Application()
    app.router.add_route("*", "/shelf/{key:.*}", bucket.serve)
    app.router.add_route("*", "/shelf", bucket.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    values = {"ENDPOINT": f"http://127.0.0.1:{runner.addresses[0][1]}", "ALLOW_HTTP": "true", "REGION": "eu-west-1",
              "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret"}  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    yield bucket
    await runner.cleanup()


async def test_a_bucket_keeps_gives_lists_and_forgets(bucket):
    store, user = MediaStore(None, "s3://shelf/files"), uuid4()
    file = store.incoming()
    file.write(b"some ")
    file.write(b"content")
    digest = await store.put(user, file)
    file.close()
    (key,) = bucket.objects
    assert key == f"files/{user}/{digest[:2]}/{digest}"
    assert b"".join([piece async for piece in store.read(user, digest, 0, 12)]) == b"some content"
    assert b"".join([piece async for piece in store.read(user, digest, 5, 9)]) == b"cont"
    (kept,) = [one async for batch in store.listed() for one in batch]
    assert (kept.user_id, kept.sha256) == (user, digest)
    await store.remove(user, digest)
    await store.remove(user, digest)
    assert bucket.objects == {}
    with pytest.raises(FileNotFoundError):
        [piece async for piece in store.read(user, digest, 0, 12)]
    assert bucket.signed == {"AWS4-HMAC-SHA256"}
