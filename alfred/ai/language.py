"""Which language a text is in: words that tell, and letters that only one of them has."""

import re

from alfred.ai.lexicon import Lexicon
from alfred.ai.provider import Language
from alfred.ai.text import Token

LANGUAGES: tuple[Language, ...] = ("pt", "en", "es")
UNSURE = 0.6  # a second language this near to the first is read as well

_SHAPES: tuple[tuple[Language, float, re.Pattern[str]], ...] = (
    ("pt", 2.0, re.compile(r"[ãõ]|ç[aãoõeu]|[êôâ]|ções$|ção$")),
    (
        "pt",
        1.0,
        re.compile(
            r"(?:nh|lh)[aeoiu]|inh[ao]s?$|eir[ao]s?$|agem$|dade$|[aei]mos$|ei$|ou$|ss|ões$|ndo$|vel$|ês$"
        ),
    ),
    ("es", 2.0, re.compile(r"ñ|ción$|ciones$|[aeiou]dad$")),
    (
        "es",
        1.0,
        re.compile(
            r"^ll|ue[nlrs]|ie[nrst]|[ií]as?$|[oó]n$|it[ao]s?$|er[ao]s?$|illa|jo$|ja$|ú|ó$|y$(?<=[uo]y)|ble$"
        ),
    ),
    ("en", 1.2, re.compile(r"th|[^q]w|^w|ing$|ck|sh|tion$|ed$|ght|oo|ee|ly$|k$|y$|'s$|ea|ff|ow|mm|pp|tt")),
)

_LAUGHTER: tuple[tuple[Language, re.Pattern[str]], ...] = (
    ("pt", re.compile(r"k{3,}|rs(?:rs)*")),
    ("es", re.compile(r"(?:ja|je){2,}j?")),
    ("en", re.compile(r"(?:ha){2,}h?|lol|lmao")),
)


def weigh(tokens: list[Token], lexicon: Lexicon) -> dict[Language, float]:
    """How much in the tokens speaks for each language."""
    found: dict[Language, float] = dict.fromkeys(LANGUAGES, 0.0)
    for token in tokens:
        if token.kind == "word":
            for language, weight in votes(token, lexicon).items():
                found[language] += weight
        elif token.form in "¿¡" and token.kind == "mark":
            found["es"] += 2
    return found


def votes(token: Token, lexicon: Lexicon) -> dict[Language, float]:
    """What one word says of its language; a word that all have says nothing."""
    for language, laughter in _LAUGHTER:
        if laughter.fullmatch(token.seen):
            return {language: 1.0}
    told = lexicon.tells.get(token.seen) or lexicon.tells.get(token.form) or {}
    least = min(told.get(language, 0.0) for language in LANGUAGES)
    found = {language: told.get(language, 0.0) - least for language in LANGUAGES}
    if len(token.seen) > 2:
        for language, weight, shape in _SHAPES:
            if shape.search(token.seen):
                found[language] += weight * (0.35 if told else 0.5)
    return found


def spoken(scores: dict[Language, float]) -> Language | None:
    """The language with most votes; None where nothing speaks for any."""
    best = max(LANGUAGES, key=lambda code: scores[code])
    return best if scores[best] > 0 else None


def near(scores: dict[Language, float], given: Language | None) -> frozenset[str]:
    """The languages whose phrases are read: the best one, any other that is near, all where none is known."""
    if given:
        return frozenset((given, "any"))
    best = max(scores.values())
    if best <= 0:
        return frozenset((*LANGUAGES, "any"))
    return frozenset(("any", *(code for code in LANGUAGES if scores[code] >= UNSURE * best)))
