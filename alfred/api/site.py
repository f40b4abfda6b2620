"""The web inbox at `/`: the files of alfred/web, read once, when one is asked for; no path is ever made from a URL."""

import asyncio
import gzip
import hashlib
import importlib.util
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from aiohttp import hdrs, web

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
    """The files by their names, and the page that leads to them; `edition` is a digest of all of them."""

    def __init__(self) -> None:
        self.files = dict(read_files())
        digests = "".join(self.files[name].etag for name in sorted(self.files))
        self.edition = hashlib.sha256(digests.encode()).hexdigest()[:16]
        page = self.files.pop("index.html").body.replace(_EDITION.encode(), self.edition.encode())
        self.index = _file("index.html", page)


def add_site(app: web.Application) -> None:
    """`GET /` and `GET /web/{file}`; the same below `/web/<edition>/`, where a browser may keep them for good.

    The first request waits for the files, a quarter of a second of a thread: a service that nobody looks at needs none.
    """
    reading: list[asyncio.Task[Site]] = []

    async def site() -> Site:
        if not reading or (reading[0].done() and reading[0].exception()):
            reading[:] = [asyncio.create_task(asyncio.to_thread(Site))]
        return await asyncio.shield(reading[0])

    async def home(request: web.Request) -> web.Response:
        return _answer(request, (await site()).index, _AGAIN)

    async def part(request: web.Request) -> web.Response:
        asked, its = request.match_info["file"], await site()
        folder, _, rest = asked.partition("/")
        dated = re.fullmatch(r"[0-9a-f]{16}", folder) is not None
        file = its.files.get(rest if dated else asked)
        if file is None:
            raise web.HTTPNotFound
        return _answer(request, file, _FOREVER if folder == its.edition else _AGAIN)

    async def favicon(request: web.Request) -> web.Response:
        return _answer(request, (await site()).files["icon.svg"], _AGAIN)

    app.router.add_get("/", home)
    app.router.add_get("/favicon.ico", favicon)
    app.router.add_get("/web/{file:.+}", part)


@cache
def read_files() -> Mapping[str, File]:
    """Every file by its path below /web, and the icons as one sprite."""
    files = {
        str(path.relative_to(FOLDER)): _file(path.name, _read(path))
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in _TYPES
    }
    return files | {"icons.svg": _file("icons.svg", _sprite().encode())}


def _read(path: Path) -> bytes:
    return shrink(path.read_text(encoding="utf-8")).encode() if path.suffix == ".js" else path.read_bytes()


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
