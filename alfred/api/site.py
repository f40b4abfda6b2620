"""The web inbox at `/`: the files of alfred/web, read once, when one is asked for; no path is ever made from a URL."""

import asyncio
import gzip
import hashlib
import importlib.util
import re
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from aiohttp import hdrs, web

from alfred.api import site_scripts
from alfred.api.site_scripts import shrink
from alfred.http.security_headers import INBOX, POLICY

FOLDER = Path(__file__).resolve().parents[1] / "web"
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
_COMPRESS_FROM = 1024  # bytes
_FOREVER = "public, max-age=31536000, immutable"
_AGAIN = "no-cache"
_EDITION = "{edition}"  # in index.html: the folder whose files never change


@dataclass(frozen=True)
class File:
    """A file as it goes out; `packed` is None where packing does not pay."""

    body: bytes
    packed: bytes | None
    media_type: str
    etag: str


class Site:
    """The files by their names, each made ready when it is first asked for, and the page that leads to them.

    `edition` is a digest of all that they are made of, so that it is known before any of them is.
    """

    def __init__(self) -> None:
        self._sources = _sources()
        self.files: dict[str, File] = {}
        parts = [Path(site_scripts.__file__).read_bytes()]
        for name, source in sorted(self._sources.items()):
            parts += [name.encode(), source]
        self.edition = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]
        page = self._sources.pop("index.html").replace(_EDITION.encode(), self.edition.encode())
        self.index = _file("index.html", page)

    @property
    def names(self) -> Collection[str]:
        return self._sources.keys()

    def make_ready(self, name: str) -> None:
        """What `files` has afterwards: some milliseconds for a script, the first time."""
        if name in self.files:
            return
        source = self._sources[name]
        self.files[name] = _file(name, shrink(source.decode()).encode() if name.endswith(".js") else source)


def add_site(app: web.Application) -> None:
    """`GET /` and `GET /web/{file}`; the same below `/web/<edition>/`, where a browser may keep them for good.

    Nothing is read before the first request: a service that nobody looks at needs none of it.
    """
    reading: list[asyncio.Task[Site]] = []
    one_at_a_time = asyncio.Lock()  # two threads that compute are no faster than one

    async def site() -> Site:
        if not reading or (reading[0].done() and reading[0].exception()):
            reading[:] = [asyncio.create_task(asyncio.to_thread(Site))]
        return await asyncio.shield(reading[0])

    async def file(name: str) -> File:
        its = await site()
        if name in its.names and name not in its.files:
            async with one_at_a_time:
                await asyncio.to_thread(its.make_ready, name)
        if name not in its.files:
            raise web.HTTPNotFound
        return its.files[name]

    async def home(request: web.Request) -> web.Response:
        return _answer(request, (await site()).index, _AGAIN)

    async def part(request: web.Request) -> web.Response:
        asked, edition = request.match_info["file"], (await site()).edition
        folder, _, rest = asked.partition("/")
        dated = re.fullmatch(r"[0-9a-f]{16}", folder) is not None
        return _answer(request, await file(rest if dated else asked), _FOREVER if folder == edition else _AGAIN)

    async def favicon(request: web.Request) -> web.Response:
        return _answer(request, await file("icon.svg"), _AGAIN)

    app.router.add_get("/", home)
    app.router.add_get("/favicon.ico", favicon)
    app.router.add_get("/web/{file:.+}", part)


def _sources() -> dict[str, bytes]:
    """Every file by its path below /web, and the icons as one sprite."""
    paths = [path for path in sorted(FOLDER.rglob("*")) if path.suffix in _TYPES]
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in paths} | {
        "icons.svg": _sprite().encode()
    }


def _file(name: str, body: bytes) -> File:
    media_type = _TYPES[Path(name).suffix]
    packed = gzip.compress(body, mtime=0) if len(body) > _COMPRESS_FROM else None
    return File(body, packed, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _answer(request: web.Request, file: File, caching: str) -> web.Response:
    headers = {POLICY: INBOX, "ETag": file.etag, "Cache-Control": caching, "Vary": "Accept-Encoding"}
    if file.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
        return web.Response(status=304, headers=headers)
    body = file.body
    if file.packed is not None and "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        body, headers["Content-Encoding"] = file.packed, "gzip"
    return web.Response(body=body, headers=headers, content_type=file.media_type, charset="utf-8")


def _sprite() -> str:
    """The icons in use, out of the zip that the package `lucide` carries; its Python code is not run."""
    names = (FOLDER / "icons.txt").read_text().split()
    spec = importlib.util.find_spec("lucide")
    assert spec is not None
    assert spec.origin is not None
    with zipfile.ZipFile(Path(spec.origin).parent / "lucide.zip") as icons:
        symbols = [_symbol(name, icons.read(f"{name}.svg").decode()) for name in names]
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>'


def _symbol(name: str, svg: str) -> str:
    shapes = re.sub(r"\s+", " ", svg[svg.index(">") + 1 : svg.rindex("</svg>")]).replace("> <", "><").strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>'
