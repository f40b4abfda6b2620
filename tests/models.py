"""A server on loopback that speaks as models do, in both protocols, and misbehaves as it is told."""

import asyncio
import contextlib
import json

from aiohttp import web

from tests.hosts import host

HANGS = 30  # seconds
SLOW = {"hang": HANGS, "slow": 0.2, "held": None}  # seconds; `held` is until the test lets go


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
        if isinstance(mode, str) and mode in SLOW:
            await (self.held.wait() if mode == "held" else asyncio.sleep(SLOW[mode]))
        broken = await self._broken(request, mode, body)
        if broken is not None:
            return broken
        text = text_of(mode, said)
        answer = self._chat if request.path.endswith("/chat/completions") else self._message
        return web.json_response(answer(mode, text, said if "tools" in body else None))

    async def _broken(self, request, mode, body):
        """The answer of a server that does not get as far as the model; None where it does."""
        match mode:
            case "reset":
                request.transport.abort()
                return web.Response()
            case "hang in the middle":
                response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
                await response.prepare(request)
                await response.write(b'{"choices": [')
                await asyncio.sleep(HANGS)
                return response
            case (status, headers):
                return web.json_response({"error": {"message": "no"}}, status=status, headers=headers)
            case "wrong type":
                return web.Response(text="<html>It works!</html>", content_type="text/html")
        if mode.startswith("no schema") and ("response_format" in body or "tools" in body):
            named = "tool_choice" if "tools" in body else "response_format"
            status = int(mode.removeprefix("no schema") or 400)
            return web.json_response({"error": {"message": f"{named} is not supported"}}, status=status)
        return None

    def _chat(self, mode, text, _):
        """In the protocol `openai`."""
        refusal = {"content": None, "refusal": "I can't help with that."}
        message = {"role": "assistant", **(refusal if mode == "refusal" else {"content": text})}
        if mode == "parts":
            message["content"] = [{"type": "text", "text": part} for part in (text[:5], text[5:])]
        usage = {"prompt_tokens": self.usage[0], "completion_tokens": self.usage[1], "cost": 0.0015}
        return {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    def _message(self, mode, text, tool_input):
        """In the protocol `anthropic`."""
        blocks = [{"type": "text", "text": text}]
        if mode in {"ok", "slow", "asides"} and tool_input is not None:
            aside = [{"type": "text", "text": "Let me see."}] if mode == "asides" else []
            blocks = [*aside, {"type": "tool_use", "id": "t1", "name": "answer", "input": tool_input}]
        usage = {"input_tokens": self.usage[0], "output_tokens": self.usage[1]}
        return {"content": blocks, "stop_reason": "refusal" if mode == "refusal" else "end_turn", "usage": usage}


def text_of(mode, said):
    """What the model answers, as it is told to spoil it."""
    match mode:
        case "broken":
            return '{"text": "Oi'
        case "fenced":
            return f"Here you are:\n```json\n{json.dumps(said)}\n```"
        case "wrong enum":
            return json.dumps(said | {"language": "tlh"})
        case "upper case":
            return json.dumps(said | {"language": str(said.get("language", "")).upper()})
        case "wrong value":
            return json.dumps(said | {"text": 42})
        case "extra":
            return json.dumps({**said, "mood": "sunny"})
        case "empty":
            return ""
        case "1 MB":
            return json.dumps(said | {"padding": "x" * 1_000_000})
    return json.dumps(said)


@contextlib.asynccontextmanager
async def a_model():
    """A server that is open."""
    server = ModelServer()
    async with host(server.handle, client_max_size=2**24) as address:
        server.base_url = f"{address}/v1"
        yield server
