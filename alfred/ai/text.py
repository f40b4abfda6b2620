"""A text as tokens: normalised once, each with its place in the original."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

LONGEST = 10_000  # characters considered; what follows is not read

_TOKEN = re.compile(
    r"""(?P<money>(?:[Rr]|[Uu][Ss]?|[Ss](?=/\s?\d))?(?:[$€£]+|(?<=[Ss])/))
    |(?P<word>[^\W\d_][\w\u0300-\u036f]{0,39}(?:['’´`][^\W\d_]{1,3}\b)?)
    |(?P<num>\d{1,15}(?:[.,:/]\d{1,6}){0,3})(?P<unit>\s?%|\s?[apAP]\.?[mM]\b|º|ª|°|[A-Za-z]{1,4}\d{0,2}\b)?
    |(?P<face>[:;=]['-]?[)(DPp3/|*]{1,4}(?!\w)|<3)
    |(?P<mark>[.!?…]+|\n+|[,;:¿¡()])
    |(?P<sign>([^\s\w])(?:\ufe0f?\8)*)""",
    re.VERBOSE,
)
_REPEAT = re.compile(r"([^\W\d])\1{2,}")
_APOSTROPHES = re.compile("[’´`]")
_YEAR = re.compile(r"19[5-9]\d|20(?:0[1-9]|[123]\d)")
_BEFORE_YEARS = frozenset(("em", "en", "in", "desde", "since", "de"))
_TIME_UNITS = frozenset(("h", "hs", "hr", "hrs", "am", "pm"))
_UNITS = {"%": "percent", "x": "times", "º": "ordinal", "ª": "ordinal", "°": "ordinal"} | dict.fromkeys(
    ("th", "st", "nd", "rd"), "ordinal"
)
_CONTRACTIONS = {"n't": "not", "'ll": "will", "'ve": "have", "'re": "are", "'m": "am", "'d": "would"}
_WHOLE = {
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "let's": ("let", "us"),
}
_SUBJECTS = frozenset(
    ("it", "he", "she", "that", "what", "who", "where", "here", "there", "how", "when", "this", "everything")
)


class Token(NamedTuple):
    """`form` is folded ("nao"), `seen` only lowered ("não"); a mark has kind "mark" and ends a clause."""

    form: str
    seen: str
    kind: str
    start: int
    end: int


_new = tuple.__new__  # what Token(...) does, in half the time


def fold(word: str) -> str:
    """Lower case without accents: "AÇÃO" is "acao"."""
    plain = unicodedata.normalize("NFKC", word).casefold()
    if plain.isascii():
        return plain
    return "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))


def squeeze(word: str, known: frozenset[str]) -> str:
    """Letters repeated for emphasis, once: "adoreiiii" is "adorei", "goood" is "good" if known."""
    twice = _REPEAT.sub(r"\1\1", word)
    if twice == word or twice in known:
        return twice
    return _REPEAT.sub(r"\1", word)


def split_contraction(word: str) -> tuple[str, ...]:
    """The words of an English contraction: "don't" is ("do", "not")."""
    if word in _WHOLE:
        return _WHOLE[word]
    for ending, full in _CONTRACTIONS.items():
        if word.endswith(ending):
            return (word[: -len(ending)], full)
    if word.endswith("'s"):
        head = word[:-2]
        return (head, "is") if head in _SUBJECTS else (head,)
    return (word.replace("'", ""),)


@lru_cache(maxsize=8192)
def forms(word: str, known: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The normal forms of one written word, usually one."""
    folded = squeeze(fold(word), known)
    if folded.isalnum():
        return (folded,)
    folded = _APOSTROPHES.sub("'", folded)
    return split_contraction(folded) if "'" in folded else (folded,)


def number_kind(unit: str, number: str) -> str:
    """What a number with its unit is: time, percent, times (3x), ordinal, date or a bare number."""
    plain = unit.strip().replace(".", "").lower()
    if plain in _TIME_UNITS or (plain[:1] == "h" and plain[1:].isdigit()) or ":" in number:
        return "time"
    return _UNITS.get(plain, "date" if "/" in number else "number")


def tokens(text: str, known: frozenset[str] = frozenset()) -> list[Token]:
    """The tokens of a text, in order; linear in its length."""
    found: list[Token] = []
    after_currency = False
    for match in _TOKEN.finditer(text, 0, LONGEST):
        kind = match.lastgroup or "sign"
        start, end = match.span()
        written = match[0]
        if kind == "word":
            seen = written.lower()
            for form in forms(written, known):
                found.append(_new(Token, (form, seen, "word", start, end)))
            after_currency = False
            continue
        if kind in ("num", "unit"):
            kind = number_kind(match["unit"] or "", match["num"])
            kind = "amount" if after_currency and kind == "number" else kind
            if kind == "number" and found and found[-1].form in _BEFORE_YEARS and _YEAR.fullmatch(written):
                kind = "date"
            written = written.lower()
        elif kind == "mark":
            written = "?" if "?" in written else written[0]
        elif kind == "sign":
            written = written[0]
        found.append(Token(written, written, kind, start, end))
        after_currency = kind == "money"
    return found


def expand(found: list[Token], slang: dict[str, tuple[str, ...]]) -> list[Token]:
    """The tokens with short forms written out: "vc" is "voce"."""
    if slang.keys().isdisjoint([token[0] for token in found]):
        return found
    spelled: list[Token] = []
    for token in found:
        if token.kind == "word" and token.form in slang:
            spelled += [token._replace(form=form) for form in slang[token.form]]
        else:
            spelled.append(token)
    return spelled
