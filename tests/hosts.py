"""Hosts on loopback, as tests play them."""

import contextlib

from aiohttp import web


@contextlib.asynccontextmanager
async def host(answer, **traits):
    """Whatever is asked of it goes to a handler; its address."""
    app = web.Application(**traits)
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
