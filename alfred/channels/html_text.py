"""HTML as words: what a reader sees, in one pass, however broken the page."""

import html
import re
from collections.abc import Iterator

INLINE = frozenset({
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong",
    "sub", "sup", "time", "tt", "u", "var", "wbr",
})  # fmt: skip
UNSEEN = frozenset({"script", "style", "title"})
IN_HEAD = frozenset({"head", "base", "link", "meta", "noscript", "template", "object", *UNSEEN})
CLOSING = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in UNSEEN}
TAG_NAME = re.compile(r"</?([a-zA-Z][^\s/>]*)")
TAG_STEP = re.compile(r"""[>"']""")
# No character has such a number, and Python refuses to read thousands of digits.
LONG_REFERENCE = re.compile(r"&#[0-9]{8,};?")


def words(page: str) -> str | None:
    return " ".join(unescaped("".join(_seen(page))).split()) or None


def unescaped(source: str) -> str:
    return html.unescape(LONG_REFERENCE.sub("\ufffd", source))


def _seen(page: str) -> Iterator[str]:
    """The text between the tags, with a space where a tag separates words."""
    position, in_head = 0, False
    while (start := page.find("<", position)) >= 0:
        yield "" if in_head else page[position:start]
        name, closes, position = _markup(page, start)
        if position < 0:  # never closed: to the end it is text
            yield page[start:]
            return
        if name is None:
            yield "" if in_head else page[start:position] if position == start + 1 else ""
            continue
        if name == "head" or name not in IN_HEAD:  # whatever belongs into no head ends it, closed or not
            in_head = name == "head" and not closes
        if name in UNSEEN and not closes:
            end = CLOSING[name].search(page, position)
            position = end.start() if end else len(page)
        yield "" if name in INLINE else " "
    yield "" if in_head else page[position:]


def _markup(page: str, start: int) -> tuple[str | None, bool, int]:
    """The tag at `<`: its name, whether it closes, and where it ends; no name for comments and mere `<`."""
    if page.startswith("<!--", start):
        end = page.find("-->", start + 2)  # `<!-->` is one too
        return None, False, end + 3 if end >= 0 else len(page)
    if named := TAG_NAME.match(page, start):
        return named.group(1).lower(), page[start + 1] == "/", _tag_end(page, named.end())
    if page.startswith(("<!", "<?", "</"), start):
        end = page.find(">", start)
        return None, False, end + 1 if end >= 0 else -1
    return None, False, start + 1


def _tag_end(page: str, position: int) -> int:
    """Behind the `>` that is in no quoted value; -1 when there is none."""
    while step := TAG_STEP.search(page, position):
        position = step.end()
        if step.group() == ">":
            return position
        if page[step.start() - 1] == "=":
            closing = page.find(step.group(), position)
            position = closing + 1 if closing >= 0 else position
    return -1
