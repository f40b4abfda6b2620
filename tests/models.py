"""A server on loopback that speaks as models do, in both protocols, and misbehaves as it is told."""

import asyncio
import contextlib
import json

from aiohttp import web

HANGS = 30  # seconds


class ModelServer:
    """`modes` are taken in turn, then `mode`; `says` is what the model answers, or makes it of what it was asked."""

    def __init__(self):
        self.calls = []
        self.modes, self.mode = [], "ok"
        self.says = {"ok": True}
        self.base_url = ""
        self.usage = (100, 20)
        self.held = asyncio.Event()

    @property
    def bodies(self):
        return [call["body"] for call in self.calls]

    def asked(self, at=-1):
        """The data that the model was given, as JSON."""
        message = self.bodies[at]["messages"][-1]["content"]
        return json.JSONDecoder().raw_decode(message)[0]

    async def handle(self, request):
        body = await request.json()
        self.calls.append({"path": request.path, "headers": dict(request.headers), "body": body})
        mode = self.modes.pop(0) if self.modes else self.mode
        said = self.says(self.asked()) if callable(self.says) else self.says
        chat = request.path.endswith("/chat/completions")
        if mode == "hang":
            await asyncio.sleep(HANGS)
        if mode == "held":
            await self.held.wait()
        if mode == "slow":
            await asyncio.sleep(0.2)
        if mode == "reset":
            request.transport.abort()
            return web.Response()
        if mode == "hang in the middle":
            response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
            await response.prepare(request)
            await response.write(b'{"choices": [')
            await asyncio.sleep(HANGS)
            return response
        if isinstance(mode, tuple):
            status, headers = mode
            return web.json_response({"error": {"message": "no"}}, status=status, headers=headers)
        if isinstance(mode, str) and mode.startswith("no schema") and ("response_format" in body or "tools" in body):
            status = int(mode.removeprefix("no schema") or 400)
            named = "tool_choice" if "tools" in body else "response_format"
            return web.json_response({"error": {"message": f"{named} is not supported"}}, status=status)
        if mode == "wrong type":
            return web.Response(text="<html>It works!</html>", content_type="text/html")
        text = {
            "broken": '{"text": "Oi',
            "fenced": f"Here you are:\n```json\n{json.dumps(said)}\n```",
            "wrong enum": json.dumps(said | {"language": "tlh"}),
            "upper case": json.dumps(said | {"language": str(said.get("language", "")).upper()}),
            "wrong value": json.dumps(said | {"text": 42}),
            "extra": json.dumps({**said, "mood": "sunny"}),
            "empty": "",
            "1 MB": json.dumps(said | {"padding": "x" * 1_000_000}),
        }.get(mode, json.dumps(said))
        usage = {"prompt_tokens": self.usage[0], "completion_tokens": self.usage[1], "cost": 0.0015}
        if chat:
            message = {"role": "assistant", "content": text}
            if mode == "refusal":
                message = {"role": "assistant", "content": None, "refusal": "I can't help with that."}
            return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})
        usage = {"input_tokens": self.usage[0], "output_tokens": self.usage[1]}
        blocks = [{"type": "text", "text": text}]
        if mode in {"ok", "slow"} and "tools" in body:
            blocks = [{"type": "tool_use", "id": "t1", "name": "answer", "input": said}]
        stop = "refusal" if mode == "refusal" else "end_turn"
        return web.json_response({"content": blocks, "stop_reason": stop, "usage": usage})


@contextlib.asynccontextmanager
async def a_model():
    """A server that is open."""
    server, app = ModelServer(), web.Application(client_max_size=2**24)
    app.router.add_post("/{tail:.*}", server.handle)
    runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()
