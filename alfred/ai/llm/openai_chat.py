"""Chat completions as OpenAI made them, and as Ollama, vLLM, OpenRouter and others take them."""

from typing import Any
from urllib.parse import urlsplit

from alfred.ai.llm.exchange import Account, Failed, Prompt, Rung, Said, content_of, count, money
from alfred.http_calls import Answer, HttpCall, NoAnswer, json_call

BASE_URL = "https://api.openai.com/v1"
RUNGS: tuple[Rung, ...] = ("schema", "object", "prompt")


def call(account: Account, prompt: Prompt, rung: Rung, seconds: float) -> HttpCall:
    """One question."""
    # Newer models of OpenAI's own refuse the older name, other servers know only that one.
    own = urlsplit(account.base_url).hostname == "api.openai.com"
    body: dict[str, Any] = {
        "model": account.model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
        "max_completion_tokens" if own else "max_tokens": prompt.most_tokens,
    }
    if rung == "schema":
        shape = {"name": "answer", "strict": True, "schema": prompt.schema}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    elif rung == "object":
        body["response_format"] = {"type": "json_object"}
    headers = {"Authorization": f"Bearer {account.key}"} if account.key else {}
    return json_call(f"{account.base_url.rstrip('/')}/chat/completions", body, headers, seconds=seconds)


def said(answer: Answer | NoAnswer, rung: Rung) -> Said:
    """What the model said.

    Raises:
        Failed: nothing that can be used.
    """
    content = content_of(answer, rung)
    choices = content.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    text = _text_of(message.get("content")) if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(text, str) or message.get("refusal"):
        raise Failed("invalid_output")
    usage = content.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Said(
        text, count(usage.get("prompt_tokens")), count(usage.get("completion_tokens")), money(usage.get("cost"))
    )


def _text_of(content: Any) -> str | None:
    """The text, which some servers give in parts."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else None
    parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(part for part in parts if isinstance(part, str)) or None
