"""Which language a text is in: words that tell, and letters that only one of them has."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from alfred.terms import Language

LANGUAGES: tuple[Language, ...] = ("pt", "en", "es")
Votes = tuple[float, float, float]  # in the order of LANGUAGES
SILENT: Votes = (0.0, 0.0, 0.0)
INVERTED: Votes = (0.0, 0.0, 2.0)  # what a "¿" says
UNSURE = 0.8  # a second language this near to the first is read as well

_SHAPES: tuple[tuple[Language, float, re.Pattern[str]], ...] = (
    ("pt", 2.0, re.compile(r"[ãõ]|ç[aãoõeu]|[êôâ]|ções$|ção$|cao$|coes$")),
    (
        "pt",
        1.0,
        re.compile(r"(?:nh|lh)[aeoiu]|inh[ao]s?$|eir[ao]s?$|agem$|dade$|[aei]mos$|ei$|ou$|ss|ões$|ndo$|vel$|ês$"),
    ),
    ("es", 2.0, re.compile(r"ñ|ción$|ciones$|[aeiou]dad$")),
    (
        "es",
        1.0,
        re.compile(r"^ll|ue[nlrs]|ie[nrst]|[ií]as?$|[oó]n$|it[ao]s?$|er[ao]s?$|illa|jo$|ja$|ú|ó$|y$(?<=[uo]y)|ble$"),
    ),
    ("en", 1.2, re.compile(r"th|[^q]w|^w|ing$|ck|sh|tion$|ed$|ght|oo|ee|ly$|k$|y$|'s$|ff|ow|mm|pp|tt")),
)

_LAUGHTER: tuple[tuple[Language, re.Pattern[str]], ...] = (
    ("pt", re.compile(r"k{3,}|rs(?:rs)*")),
    ("es", re.compile(r"(?:ja|je){2,}j?")),
    ("en", re.compile(r"(?:ha){2,}h?|lol|lmao")),
)


def votes(seen: str, form: str, tells: Mapping[str, Mapping[str, float]]) -> Votes:
    """What one word says for each language; a word that all have says nothing."""
    for language, laughter in _LAUGHTER if seen[:1] in "krjhl" else ():
        if laughter.fullmatch(seen):
            return _votes(*[float(code == language) for code in LANGUAGES])
    told = tells.get(seen) or tells.get(form)
    found = [0.0, 0.0, 0.0]
    if told:
        found = [told.get(language, 0.0) for language in LANGUAGES]
        least = min(found)
        found = [value - least for value in found]
    if len(seen) > 2:
        for language, weight, shape in _SHAPES:
            if shape.search(seen):
                found[LANGUAGES.index(language)] += weight * (0.35 if told else 0.5)
    return _votes(*found)


@lru_cache(maxsize=1_000)
def _votes(portuguese: float, english: float, spanish: float) -> Votes:
    """One object for all words that say the same."""
    return portuguese, english, spanish


def weigh(said: Iterable[Votes]) -> dict[Language, float]:
    """How much in a text's words speaks for each language."""
    portuguese = english = spanish = 0.0
    for for_portuguese, for_english, for_spanish in said:
        portuguese += for_portuguese
        english += for_english
        spanish += for_spanish
    return {"pt": portuguese, "en": english, "es": spanish}


def spoken(scores: dict[Language, float]) -> Language | None:
    """The language with most votes; None where nothing speaks for any."""
    best = max(LANGUAGES, key=scores.__getitem__)
    return best if scores[best] > 0 else None


def near(scores: dict[Language, float], given: Language | None) -> tuple[Language, ...]:
    """The languages whose phrases are read: the best one, any other that is near, all where none is known."""
    if given:
        return (given,)
    best = max(scores.values())
    if best <= 0:
        return LANGUAGES
    return tuple([code for code in LANGUAGES if scores[code] >= UNSURE * best])
