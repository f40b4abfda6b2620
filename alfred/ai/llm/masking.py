"""Hides what names or reaches a person before a text leaves the service, and puts it back in the answer."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_ORDER = ("link", "email", "pix", "cnpj", "card", "cpf", "cep", "phone", "street", "self")
_WAY = (
    r"(?:rua|r\.|av\.?|avenida|travessa|alameda|al\.|pra[cç]a|rodovia|rod\.|estrada|calle|(?-i:C/)|cll?\.|carrera|cra\.|avda\.?"
    r"|plaza|paseo)"
)
_ROAD = r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|square|sq)\b\.?"
_NUMBER = r",?\s*(?:n[º°.]?o?\.?\s*|n[uú]mero\s+|km\s+)?\d{1,5}[A-Za-z]?\b(?:\s?#\s?\d{1,4}[A-Za-z]?\s?-\s?\d{1,4})?"
_FLAT = r"(?:,?\s*(?:apto?|apartamento|apt|ap|bloco|bl|casa|depto|piso|flat)\b\.?\s*\w{1,5}\b)?"
_AT, _DOT = (
    r"(?:\s?@\s?|\s?[(\[](?:at|arroba)[)\]]\s?|\sarroba\s)",
    r"(?:\.|\s?[(\[](?:dot|ponto|punto)[)\]]\s?|\s(?:ponto|punto|dot)\s)",
)
_GIVEN = r"[A-ZÀ-Ý][\w'-]{1,30}"
_PATTERNS: dict[str, re.Pattern[str]] = {
    "link": re.compile(
        r"\b(?:https?://|www\.)\S+|\b(?<!@)(?:[a-z0-9-]{1,63}\.){1,4}"
        r"(?:com|net|org|br|io|me|co|link|shop|store|app|info|xyz|site|online|ly|gl|es|mx|ar|pt|us|uk|ru|cn|biz|tk|dev)\b"
        r"(?:/\S*)?",
        re.IGNORECASE,
    ),
    "email": re.compile(
        rf"[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{1,4}}"
        rf"|[\w.+-]{{1,64}} at [\w-]{{1,63}} dot \w{{2,9}}\b",
        re.IGNORECASE,
    ),
    "pix": re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b", re.IGNORECASE),
    "cnpj": re.compile(r"\b[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/[0-9A-Z]{4}-?\d{2}\b|\b\d{14}\b"),
    "card": re.compile(r"\b\d(?:[ .-]?\d){12,18}\b"),
    "cpf": re.compile(r"\b\d{3}[. ]\d{3}[. ]\d{3}[- ]\d{2}\b|\b\d{11}\b"),
    "cep": re.compile(r"\b\d{5}-\d{3}\b|(?<=cep )\d{8}\b|(?<=CEP )\d{8}\b"),
    "phone": re.compile(r"(?<!\w)(?<!\d[.,])(?:\+\s?|\(\s?)?\d(?:[ ().-]{0,3}\d){7,14}(?!\w|[.,]\d)"),
    "street": re.compile(
        rf"(?<!\w){_WAY}\s*\b(?:[^\s,.;!?]{{1,30}}\s+){{0,6}}?[^\s,.;!?]{{1,30}}{_NUMBER}{_FLAT}"
        rf"|\b\d{{1,5}}[A-Z]?\s+(?:[A-Z][\w'-]{{0,30}}\s+){{1,4}}{_ROAD}",
        re.IGNORECASE,
    ),
    # After "my name is" any word is a name; after "I am" only what is written as one.
    "self": re.compile(
        rf"(?i:\b(?:meu nome [eé]|me chamo|my name is|me llamo|mi nombre es)\s+)"
        rf"([^\W\d_][\w'-]{{1,30}}(?:\s+(?:(?:d[aeo]s?|e|del|la)\s+)?{_GIVEN}){{0,4}})"
        rf"|(?i:\b(?:(?:aqui [eé]|sou|fala|quem fala [eé]) [oa]|this is|soy|habla|aqu[ií] habla|le habla)\s+)"
        rf"({_GIVEN}(?:\s+(?:(?:d[aeo]s?|e|del|la)\s+)?{_GIVEN}){{0,4}})"
    ),
}
# What lets somebody be reached or paid: none of it may be in a text that the seller's facts do not have.
REACHING = frozenset(("link", "email", "pix", "cnpj", "card", "cpf", "phone"))
MOST_HIDDEN, _LONGEST = 4_000, 200  # characters of a text that are told, and of what may begin at their end
_TOKEN = re.compile(r"\{\{([a-z]+(?:_\d+)?)\}\}")


class Found(NamedTuple):
    """One thing that was found: what it is, and the characters `start:end`."""

    kind: str
    start: int
    end: int

    def of(self, text: str) -> str:
        """As it stands in the text."""
        return text[self.start : self.end]


def findings(text: str, *, kinds: frozenset[str] | None = None) -> list[Found]:
    """What names or reaches somebody, in order; where two overlap, the more telling kind."""
    taken: list[Found] = []
    for kind in _ORDER:
        if kinds is not None and kind not in kinds:
            continue
        for found in _of_kind(kind, text):
            if all(found.end <= other.start or found.start >= other.end for other in taken):
                taken.append(found)
    return sorted(taken, key=lambda found: found.start)


def plain(kind: str, value: str) -> str:
    """However it is written, the same."""
    if kind in {"phone", "cpf", "cnpj", "card"}:
        digits = re.sub(r"\W", "", value).upper()
        return digits[-8:] if kind == "phone" else digits
    value = re.sub(r"\s", "", value).lower().rstrip(".,;:!?)/")
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", value) if kind == "link" else value.replace("-", "")


class Mask:
    """Hides a conversation's personal data; the same value has the same name throughout."""

    def __init__(self, name: str | None = None) -> None:
        self._named: dict[str, str] = {}  # the token's name -> the value
        self._tokens: dict[tuple[str, str], str] = {}
        words = [word for word in re.split(r"[^\w'-]+", name or "") if len(word) > 1 and word[:1].isalpha()]
        self._names = [(word, "name" if at == 0 else f"name_{at}") for at, word in enumerate(words[:6])]
        self._named.update({token: word for word, token in self._names})

    def hide(self, text: str) -> str:
        """The beginning of a text, as far as a model is told it, without them."""
        text = text[: MOST_HIDDEN + _LONGEST].replace("{{", "{ {").replace("}}", "} }")
        return self._hidden(text, MOST_HIDDEN)

    def hide_ours(self, text: str) -> str:
        """The same for a text of ours, whose placeholders stay."""
        return self._hidden(text)

    def show(self, text: str) -> str:
        """The text with them again; what names nothing stays as it is."""
        return _TOKEN.sub(lambda match: self._named.get(match[1], match[0]), text)

    @property
    def harmless(self) -> tuple[str, ...]:
        """What was hidden and reaches nobody: streets and postcodes."""
        return tuple(value for (kind, value) in self._tokens if kind not in REACHING and kind != "self")

    @property
    def names(self) -> str:
        """What the customer is called."""
        return " ".join([word for word, _ in self._names] + [value for kind, value in self._tokens if kind == "self"])

    def _hidden(self, text: str, most: int | None = None) -> str:
        """What begins within `most` characters is hidden whole, so that none is cut in two."""
        parts, at = [], 0
        for found in findings(text, kinds=_HIDDEN):
            if most is not None and found.start >= most:
                break
            parts += [text[at : found.start], self._token(found.kind, found.of(text))]
            at = found.end
        text = "".join([*parts, text[at:most] if most is None or at < most else ""])
        for word, token in self._names:
            text = re.sub(rf"(?<![\w{{]){re.escape(word)}(?![\w}}])", f"{{{{{token}}}}}", text, flags=re.IGNORECASE)
        return text

    def _token(self, kind: str, value: str) -> str:
        key = (kind, value.strip())
        if key not in self._tokens:
            name = f"{kind}_{1 + sum(known == kind for known, _ in self._tokens)}"
            self._tokens[key], self._named[name] = f"{{{{{name}}}}}", value.strip()
        return self._tokens[key] + (" " if value.endswith(" ") else "")


_HIDDEN = frozenset(_ORDER) - {"link"}


def _of_kind(kind: str, text: str) -> Iterator[Found]:
    for match in _PATTERNS[kind].finditer(text):
        group = match.lastindex or 0
        if _is_one(kind, match[group]):
            yield Found(kind, *match.span(group))


def _is_one(kind: str, value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    if kind == "card":
        return _luhn(digits)
    if kind == "cpf" and value.isdigit():
        return _cpf(digits)
    if kind == "phone":
        return 8 <= len(digits) <= 15 and not re.fullmatch(r"\d{4}[-.]\d{2}[-.]\d{2}|\d{2}[-.]\d{2}[-.]\d{4}", value)
    return True


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _cpf(digits: str) -> bool:
    for length in (9, 10):
        total = sum(int(digit) * weight for digit, weight in zip(digits, range(length + 1, 1, -1), strict=False))
        if (total * 10) % 11 % 10 != int(digits[length]):
            return False
    return len(set(digits)) > 1
