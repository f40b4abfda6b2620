"""Of a sentence that is no rule: the nearest one that is, in its own words where they can stay."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alfred.rules.sentence.reader import Reader, Reason, Refused
from alfred.rules.sentence.sentences import Sentence
from alfred.rules.sentence.tokens import Token
from alfred.rules.sentence.vocabulary import Vocabulary

CERTAIN = 100
LONGEST = 300  # characters of a sentence that is mended, not only replaced


def suggestions(text: str, tokens: Sequence[Token], refused: tuple[Reason, str], words: Vocabulary) -> Iterator[str]:
    """Sentences to try, the nearest first; what the hints say always is a rule."""
    reason, unknown = refused
    is_short = len(text) <= LONGEST
    then = (_command(text, tokens, words) if is_short else None) or words.say["then"]
    yield from _hinted(tokens, reason, then, words)
    if is_short:
        yield from _mended(text, reason, unknown, then, words)
    yield words.say["example"]


def _hinted(tokens: Sequence[Token], reason: Reason, then: str, words: Vocabulary) -> Iterator[str]:
    """What people mean by words that no rule has: each hint by the most of its words that stand here."""
    forms = {token.text for token in tokens if token.kind in ("word", "number")}
    scores = [(_score(hint, reason, forms), hint["say"]) for hint in words.hints]
    best = max(scores, key=lambda scored: scored[0], default=(0, ""))
    if best[0]:
        yield best[1].format(then=then)
        yield best[1].format(then=words.say["then"])


def _score(hint: Mapping[str, Any], reason: Reason, forms: set[str]) -> int:
    """How many words of its longest cue that stands in the sentence; a hint for the reason goes before all."""
    if reason in hint.get("reasons", ()):
        return CERTAIN
    cues = [cue.split() for cue in hint.get("cues", ())]
    return max((len(cue) for cue in cues if all(_stands(word, forms) for word in cue)), default=0)


def _stands(word: str, forms: set[str]) -> bool:
    """`respond*` stands for its inflections."""
    return any(form.startswith(word[:-1]) for form in forms) if word.endswith("*") else word in forms


def _command(text: str, tokens: Sequence[Token], words: Vocabulary) -> str | None:
    """The first order of the sentence, if there is one."""
    sentence = Sentence(Reader(text, list(tokens), words))
    orders = (_order(sentence, place) for place in range(len(tokens)))
    return next((order for order in orders if order), None)


def _order(sentence: Sentence, place: int) -> str | None:
    try:
        hit = sentence.commands.command(place)
    except Refused:
        return None
    order = sentence.reader.source(place, hit[1]) if hit else ""
    return order[:1].lower() + order[1:] or None


def _mended(text: str, reason: Reason, unknown: str, then: str, words: Vocabulary) -> Iterator[str]:
    """The sentence without what was not understood, or with what is missing."""
    bare = text.strip(" .!?,;")
    if reason == "no_condition":
        yield words.say["when"].format(then=then)
    elif reason == "no_action":
        yield f"{bare}, {words.say['then']}."
    elif unknown and unknown in text:
        without = text.replace(unknown, " ", 1)
        for joint in ("", *words.say["joints"]):
            yield _tidy(without, joint)
        before = text[: text.index(unknown)].split()
        yield from (_tidy(" ".join(before[:end]), "") for end in _ends(before))
        yield from (f"{_tidy(' '.join(before[:end]), '')}, {then}." for end in _ends(before))


def _ends(before: Sequence[str]) -> range:
    """Without the last words, which may hang on to what was not understood: "except when"."""
    return range(len(before), max(0, len(before) - 4), -1)


def _tidy(text: str, joint: str) -> str:
    """Without a joint that joins nothing, and without doubled blanks and commas."""
    plain = " ".join(text.split())
    if joint:
        plain = plain.replace(f" {joint} ,", ",").replace(f", {joint} ", ", ").removesuffix(f" {joint}")
        plain = plain.removeprefix(f"{joint} ")
    return plain.replace(" ,", ",").replace(",,", ",").strip(" ,")
