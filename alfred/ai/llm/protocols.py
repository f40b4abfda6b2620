"""The protocols by name."""

from collections.abc import Callable
from dataclasses import dataclass

from alfred.ai.llm import anthropic_messages, openai_chat
from alfred.ai.llm.exchange import Account, Prompt, Rung, Said
from alfred.http_calls import Answer, HttpCall, NoAnswer
from alfred.terms import ModelProtocol


@dataclass(frozen=True)
class Protocol:
    """How a server is asked, and how its answer is read; `rungs` from the strictest shape down."""

    base_url: str
    rungs: tuple[Rung, ...]
    call: Callable[[Account, Prompt, Rung, float], HttpCall]
    said: Callable[[Answer | NoAnswer, Rung], Said]


PROTOCOLS: dict[ModelProtocol, Protocol] = {
    "openai": Protocol(openai_chat.BASE_URL, openai_chat.RUNGS, openai_chat.call, openai_chat.said),
    "anthropic": Protocol(
        anthropic_messages.BASE_URL, anthropic_messages.RUNGS, anthropic_messages.call, anthropic_messages.said
    ),
}
