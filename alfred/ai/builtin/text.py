"""A piece of text as tokens: normalised, each with its place in the piece."""

import re
import unicodedata

_TOKEN = re.compile(
    r"""(?P<link>(?:https?://|www\.)[^\s<>]{1,2000})
    |(?P<money>(?:[Rr]|[Uu][Ss]?|[Ss](?=/\s?\d))?(?:[$€£]+|(?<=[Ss])/))
    |(?P<word>[^\W\d_][\w\u0300-\u036f]{0,39}(?:['’´`][^\W\d_]{1,3}\b)?)
    |(?P<num>\d{1,15}(?:[.,:/]\d{1,6}){0,3})(?P<unit>\s?%|\s?[apAP]\.?[mM]\b|º|ª|°|[A-Za-z]{1,4}\d{0,2}\b)?
    |(?P<face>[:;=]['-]?[)(DPp3/|*]{1,4}(?!\w)|<3)
    |(?P<mark>[.!?…]+|\n+|[,;:¿¡()])
    |(?P<sign>([^\s\w])(?:\ufe0f?\9)*)""",
    re.VERBOSE,
)
MARKS = frozenset(".!?…\n,;:¿¡()")  # the forms of marks, which nothing else has
_LONGEST_WORD = 40
LINK = "#link"  # the form of every web address: what its letters spell says nothing
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
# The form is folded ("nao"), what was seen only lowered ("não"); then the kind and the place. A mark ends a clause.
# Plain tuples, of which the garbage collector keeps no list: a text may have ten thousand.
Token = tuple[str, str, str, int, int]
_SUBJECTS = frozenset(
    ("it", "he", "she", "that", "what", "who", "where", "here", "there", "how", "when", "this", "everything")
)


def fold(word: str) -> str:
    """Lower case without accents: "AÇÃO" is "acao"."""
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKC", word).casefold()
    if plain.isascii():
        return plain
    return "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))


def squeeze(word: str, known: frozenset[str]) -> str:
    """Letters repeated for emphasis, once: "adoreiiii" is "adorei", "goood" is "good" if known."""
    if len(word) - len(set(word)) < 2:
        return word  # no letter can stand three times in it
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


def tokens(text: str, known: frozenset[str] = frozenset(), before: tuple[str, str] = ("", "")) -> list[Token]:
    """The tokens of a text, in order; `before` is the form and the kind of the token that stands before it."""
    if text.isalpha() and len(text) <= _LONGEST_WORD:  # one word, as most pieces are
        return [(form, text.lower(), "word", 0, len(text)) for form in forms(text, known)]
    found: list[Token] = []
    form, kind = before
    met: dict[str, tuple[str, ...]] = {}
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        group, written = match.lastgroup, match[0]
        if group == "word":
            kind = "word"
            shapes = met.get(written) or met.setdefault(written, forms(written, known))
            seen, form = written.lower(), shapes[-1]
            found += [(shape, seen, kind, start, end) for shape in shapes]
            continue
        if group == "mark" and end - start == 1:
            form, kind = written, group
        else:
            form, kind = _other(match, form, kind)
        found.append((form, form, kind, start, end))
    return found


def _other(match: re.Match[str], before: str, kind_before: str) -> tuple[str, str]:
    """The form and the kind of what is no word."""
    written, kind = match[0], match.lastgroup or "sign"
    if kind == "mark":
        return "?" if "?" in written else written[0], kind
    if kind == "link":
        return LINK, "sign"
    if kind == "sign":
        return written[0], kind
    if kind not in ("num", "unit"):
        return written, kind
    kind = number_kind(match["unit"] or "", match["num"])
    if kind == "number" and kind_before == "money":
        kind = "amount"
    if kind == "number" and before in _BEFORE_YEARS and _YEAR.fullmatch(written):
        kind = "date"
    return written.lower(), kind
