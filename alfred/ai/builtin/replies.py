"""Suggests a reply to a customer's last turn, with nothing but the facts at hand."""

import hashlib
import re
import tomllib
from functools import cache
from typing import Any, NamedTuple

from alfred.ai.builtin.intent import intent_of
from alfred.ai.builtin.lexicon import FOLDER
from alfred.ai.builtin.negotiation import is_about_price
from alfred.ai.builtin.sentiment import mood_of
from alfred.ai.builtin.signals import Reading, read
from alfred.ai.builtin.urgency import urgency_of
from alfred.ai.builtin.word_cache import LONGEST as MOST_READ
from alfred.ai.provider import ReplyRequest, ReplySuggestion, Turn
from alfred.terms import Intent, Language

LONGEST = 600
CLEAR = 1.0  # votes from which on a text speaks for itself
LAST_MESSAGES = 20  # of a turn, at most
_PRIORITY = (
    "complaint_danger",
    "complaint_urgent",
    "complaint",
    "cancellation",
    "discount_open",
    "discount_fixed",
    "price_question",
    "order",
    "scheduling",
    "delivery_question",
    "promise",
    "request",
    "question",
    "thanks",
    "greeting",
    "unclear",
)
_SECOND = frozenset(("price_question", "delivery_question", "scheduling", "question"))
_SITUATIONS: dict[Intent, str] = {
    "acknowledgement": "thanks",
    "praise": "thanks",
    "other": "unclear",
}
_TOPICS = (("hours", "hours"), ("unmoney", "payment"), ("delivery", "delivery"))
_SLOT = re.compile(r"\{([a-z]+)\}")
_CURLY = re.compile(r"[{}\x00-\x1f\x7f]+")


class Heard(NamedTuple):
    """One message of the turn: how it reads, and the situation that it puts the seller in."""

    reading: Reading
    situation: str


def in_language(turn: Turn) -> Language:
    """The language to write in: asked for, else the customer's, the conversation's, the user's, English."""
    reading = read("\n".join(turn.texts[-LAST_MESSAGES:]))
    spoken = reading.language
    clear = spoken is not None and reading.scores[spoken] >= CLEAR
    known = turn.conversation_language or turn.user_language
    return turn.language or (spoken if clear else None) or known or spoken or "en"


def reply(request: ReplyRequest, provider: str) -> ReplySuggestion:
    """A reply to everything that the customer said since the seller's last message."""
    language = in_language(request)
    heard = [listen(text, request) for text in newest(request.texts) if text.strip()]
    situations = ranked([one.situation for one in heard]) or ["unclear"]
    writer = Writer(request, language, heard)
    text = writer.write(situations)
    return ReplySuggestion(
        reply=text,
        tone=request.tone,
        language=language,
        rationale=writer.explain(situations),
        provider=provider,
    )


def newest(texts: tuple[str, ...]) -> list[str]:
    """The last messages of a turn, together no longer than what is read of one message."""
    kept: list[str] = []
    room = MOST_READ
    for text in reversed(texts[-LAST_MESSAGES:]):
        kept.append(text[:room])
        room -= len(kept[-1])
    return kept[::-1]


def listen(text: str, request: ReplyRequest) -> Heard:
    """One message and its situation."""
    reading = read(text)
    mood, bargaining = mood_of(reading), is_about_price(reading)
    intent = intent_of(reading, mood, bargaining)
    if intent == "complaint":
        if reading.has("danger"):
            return Heard(reading, "complaint_danger")
        return Heard(reading, "complaint_urgent" if urgency_of(reading, mood) == "high" else "complaint")
    if intent == "discount_request":
        allowed = request.negotiation_enabled and request.negotiation_mode != "off"
        return Heard(reading, "discount_open" if allowed else "discount_fixed")
    if intent == "delivery_question" and request.facts.get("delivery"):
        return Heard(reading, "question")  # the shop's own words answer it
    return Heard(reading, _SITUATIONS.get(intent, intent))


def ranked(found: list[str]) -> list[str]:
    """The situation that matters most, and a second one that is a question of its own."""
    order = sorted(set(found), key=_PRIORITY.index)
    second = [one for one in order[1:] if one in _SECOND and order[0] != "discount_open"]
    return order[:1] + second[:1]


@cache
def phrases(language: Language) -> dict[str, dict[str, list[str]]]:
    """The sentences of a language, by tone and situation."""
    return tomllib.loads((FOLDER / f"replies.{language}.toml").read_text(encoding="utf-8"))


@cache
def rationales() -> dict[str, dict[str, Any]]:
    """What is told to the seller of a suggestion, by language."""
    return tomllib.loads((FOLDER / "rationales.toml").read_text(encoding="utf-8"))


class Writer:
    """Puts a reply together: a beginning, one or two bodies, an end."""

    def __init__(self, request: ReplyRequest, language: Language, heard: list[Heard]) -> None:
        self.request = request
        self.phrases = phrases(language)
        self.language = language
        self.heard = heard
        self.missing: list[str] = []
        self.name = first_name(request.contact_name)

    def write(self, situations: list[str]) -> str:
        """The reply, shorter where it would be too long."""
        opening = self._pick("opening" if self.name else "opening_plain")
        for bodies in (situations, situations[:1]):
            self.missing.clear()
            parts = [self._filled(part) for part in (opening, *map(self._pick, bodies), self._pick("closing"))]
            whole = " ".join(_capital(parts, at) for at in range(len(parts)) if parts[at])
            if len(whole) <= LONGEST:
                return whole
        return whole[: LONGEST - 1].rsplit(" ", 1)[0].rstrip("{ ") + "…"

    def explain(self, situations: list[str]) -> str:
        """Why this reply: what was heard, in which tone, what is missing."""
        words = rationales()[self.request.user_language or self.language]
        heard = f" {words['and']} ".join(words["situations"][situation] for situation in situations)
        said: str = words["reply"].format(heard, words["tones"][self.request.tone])
        missing = ", ".join(dict.fromkeys(self.missing))
        return f"{said} {words['missing'].format(missing)}" if missing else said

    def _pick(self, key: str) -> str:
        choices = self.phrases[self.request.tone][key]
        return choices[chance(f"{self.request.seed}/{key}", len(choices))]

    def _filled(self, template: str) -> str:
        return _SLOT.sub(lambda match: self._fact(match[1]), template)

    def _fact(self, slot: str) -> str:
        if slot == "name":
            return self.name
        known = self.request.facts.get(slot) or (self._answer() if slot in ("answer", "deadline") else "")
        if known:
            return _CURLY.sub(" ", known)[:300]
        label = str(self.phrases["slots"][slot])
        self.missing.append(label)
        return f"{{{{{label}}}}}"

    def _answer(self) -> str:
        """What the facts say on the topic that was asked about."""
        facts = self.request.facts
        labels = {label for one in self.heard for label in one.reading.by}
        return next((facts[name] for label, name in _TOPICS if label in labels and facts.get(name)), "")


def first_name(name: str | None) -> str:
    """How to address a contact: the first word of the name, without anything that isn't one."""
    words = _CURLY.sub(" ", name or "").split()
    return words[0].strip(",.;:!")[:40] if words and words[0][:1].isalpha() else ""


def chance(seed: str, choices: int) -> int:
    """One of so many choices, always the same for the same seed."""
    return int.from_bytes(hashlib.sha256(seed.encode("utf-8", "replace")).digest()[:4]) % choices


def _capital(parts: list[str], at: int) -> str:
    """A part begins with a capital unless it goes on after a comma."""
    part = parts[at]
    before = parts[at - 1].rstrip() if at else ""
    goes_on = before.endswith((",", ":"))
    return (part[0].lower() if goes_on and not part.startswith(("I ", "I'")) else part[0].upper()) + part[1:]
