"""The interactive documentation: Swagger UI from an installed package, so that it works with no internet access."""

import asyncio
import importlib.util
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web

from alfred.http.models import json_response
from alfred.http.security_headers import POLICY, VIEWER

_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Alfred API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script></body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, persistAuthorization: false, validatorUrl: null
});
"""


def viewer() -> Path:
    """The folder of the viewer's files; the package's own code is never run."""
    spec = importlib.util.find_spec("swagger_ui")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static"


def add_documents(app: web.Application, base: str, document: Callable[[], dict[str, Any]]) -> None:
    """`openapi.json`, made when somebody first asks for it, `docs`, and what the page needs."""
    folder = viewer()

    @cache
    def text() -> bytes:
        return json.dumps(document(), ensure_ascii=False).encode()

    async def openapi(_request: web.Request) -> web.Response:
        return json_response(await asyncio.to_thread(text))

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html", headers={POLICY: VIEWER})

    async def start(_request: web.Request) -> web.Response:
        return web.Response(text=_START, content_type="text/javascript")

    async def part(request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        if name not in _FILES:
            raise web.HTTPNotFound
        return web.FileResponse(folder / name, headers={"Content-Type": _FILES[name]})

    app.router.add_get(f"{base}/openapi.json", openapi)
    app.router.add_get(f"{base}/docs", page)
    app.router.add_get(f"{base}/docs/start.js", start)
    app.router.add_get(f"{base}/docs/{{file}}", part)
