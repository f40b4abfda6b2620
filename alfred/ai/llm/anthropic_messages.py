"""Messages as Anthropic takes them; the shape of the answer is that of a tool that must be used."""

import json
from typing import Any

from alfred.ai.llm.exchange import Account, Failed, Prompt, Rung, Said, content_of, count
from alfred.http_calls import Answer, HttpCall, NoAnswer, json_call

BASE_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
RUNGS: tuple[Rung, ...] = ("schema", "prompt")


def call(account: Account, prompt: Prompt, rung: Rung, seconds: float) -> HttpCall:
    """One question."""
    body: dict[str, Any] = {
        "model": account.model,
        "max_tokens": prompt.most_tokens,
        "system": prompt.system,
        "messages": [{"role": "user", "content": prompt.user}],
    }
    if rung == "schema":
        body["tools"] = [{"name": "answer", "description": "Give the answer.", "input_schema": prompt.schema}]
        body["tool_choice"] = {"type": "tool", "name": "answer"}
    headers = {"anthropic-version": VERSION} | ({"x-api-key": account.key} if account.key else {})
    base = account.base_url.rstrip("/").removesuffix("/v1")
    return json_call(f"{base}/v1/messages", body, headers, seconds=seconds)


def said(answer: Answer | NoAnswer, rung: Rung) -> Said:
    """What the model said.

    Raises:
        Failed: nothing that can be used.
    """
    content = content_of(answer, rung)
    blocks = content.get("content")
    if not isinstance(blocks, list) or content.get("stop_reason") == "refusal":
        raise Failed("invalid_output")
    told = [found for found in map(_text_of, blocks) if found is not None]
    if not told:
        raise Failed("invalid_output")
    usage = content.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    text = next((text for of_tool, text in told if of_tool), told[0][1])
    return Said(text, count(usage.get("input_tokens")), count(usage.get("output_tokens")))


def _text_of(block: Any) -> tuple[bool, str] | None:
    """What a block says, and whether it is the tool's: words before it are asides."""
    if not isinstance(block, dict):
        return None
    if block.get("type") == "tool_use" and isinstance(block.get("input"), dict):
        return True, json.dumps(block["input"])
    text = block.get("text")
    return (False, text) if block.get("type") == "text" and isinstance(text, str) else None
