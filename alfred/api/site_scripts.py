"""A script as it goes out: no comments, no spare blanks, short names for what only its own file knows.

The source stays as it is written; only what travels is small. A file is read as a list of pieces, never as a tree: a
name gets another one in the whole file or not at all, so that no scope has to be understood.

Why not a library, for 190 KB of source: rjsmin renames nothing (134 KB); tdewolff-minify leaves 117 KB, and would
bring a Go runtime of 7 MB into a process that forks; no other on PyPI was found kept. This leaves 116 KB.
"""

import re
from collections import Counter
from collections.abc import Iterator
from string import ascii_letters

_PIECE = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<number>\d[\w.]*)
    |(?P<word>[A-Za-z_$][\w$]*)
    |(?P<pattern>/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*)
    |(?P<sign>=>|\.\.\.|\?\.|.)""",
    re.DOTALL | re.VERBOSE,
)
_TEMPLATE = re.compile(r"(?:\\.|[^`\\$]|\$(?!\{))*(?:`|\$\{)", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_ENDS_A_VALUE = re.compile(r"[\w$)\]}\"'`]$")  # a slash divides after it
_BEFORE_PATTERN = {"return", "typeof", "case", "in", "of", "await"}
_BEFORE_OBJECT = {*"(,=:[?&|>", "return", "const", "let", "...", "export", "default"}
_KEYWORDS = set(
    """as async await break case catch class const continue debugger default delete do else export extends false finally
    for from function get if import in instanceof let new null of return set static super switch this throw true try
    typeof undefined void while with yield arguments eval""".split()  # noqa: SIM905
)
_SHORTER = {"true": "!0", "false": "!1"}
_PAIR = {")": "(", "]": "[", "}": "{"}


def shrink(script: str) -> str:
    """The same script in fewer bytes."""
    return "".join(_terser(_joined(_renamed(_pieces(script)))))


def _pieces(script: str) -> list[str]:
    """What is no comment; a run of blanks as one blank or line end; each plain part of a template as one piece."""
    pieces: list[str] = []
    depths: list[int] = []  # how many braces are open within each open template
    at = 0
    while at < len(script):
        part = script[at] == "}" and bool(depths) and depths[-1] == 0
        piece = _template(script, at) if part or script[at] == "`" else _piece(script, at, pieces)
        at += len(piece)
        if part:
            depths.pop()
        if piece.endswith("${"):
            depths.append(0)
        elif depths and piece in {"{", "}"}:
            depths[-1] += 1 if piece == "{" else -1
        _add(pieces, piece)
    return pieces


def _template(script: str, at: int) -> str:
    found = _TEMPLATE.match(script, at + 1)
    assert found is not None, script[at : at + 40]
    return script[at : found.end()]


def _piece(script: str, at: int, before: list[str]) -> str:
    found = _PIECE.match(script, at)
    assert found is not None, script[at : at + 40]
    last = next((piece for piece in reversed(before) if not piece.isspace()), "")
    divides = last not in _BEFORE_PATTERN and _ENDS_A_VALUE.search(last) is not None
    return "/" if found.lastgroup == "pattern" and divides else found.group()


def _add(pieces: list[str], piece: str) -> None:
    comment = piece.startswith(("//", "/*"))
    if not piece.isspace() and not comment:
        pieces.append(piece)
    elif pieces:
        blank = "\n" if "\n" in piece and not comment else " "
        blanks = pieces.pop() + blank if pieces[-1].isspace() else blank
        pieces.append("\n" if "\n" in blanks else " ")


def _joined(pieces: list[str]) -> list[str]:
    """Blanks stay between words and equal signs only; a line ends where a statement may."""
    parts: list[str] = []
    for place, piece in enumerate(pieces):
        before, after = parts[-1][-1] if parts else "", pieces[place + 1][0] if place + 1 < len(pieces) else ""
        if piece == "\n":
            if before not in {"", *"{([,;"} and after not in {"", *")]},.?:&|"}:
                parts.append(piece)
        elif piece == " ":
            if (_wordy(before) and _wordy(after)) or (before == after and before in {"+", "-"}):
                parts.append(piece)
        else:
            if piece == "}" and before == ";":
                parts.pop()
            parts.append(piece)
    return parts


def _terser(parts: list[str]) -> list[str]:
    """`a=>` for `(a)=>`, `const a=1,b=2` for two statements in a row, no comma before a bracket that closes."""
    out: list[str] = []
    begun = [""]  # by which word the statement began, at each depth of brackets
    for place, part in enumerate(parts):
        before = out[-1] if out else ";"
        if before in {";", "{", "}", "\n"} and part != ";":
            declares = part if part in {"const", "let"} and parts[place + 1] == " " else ""
            goes_on = before == ";" and declares != "" and declares == begun[-1]
            begun[-1] = declares
            if goes_on:
                out[-1] = ","
                continue
        if part == " " and before == ",":
            continue
        if part[0] in ")]}" and len(begun) > 1:
            begun.pop()
            if before == "," and out[-2] not in {"[", ","}:
                out.pop()
        if part in {"(", "[", "{"} or part.endswith("${"):
            begun.append("")
        if part == "=>" and out[-1] == ")" and out[-3] == "(" and _WORD.fullmatch(out[-2]) and not _wordy(out[-4][-1]):
            out[-3:] = [out[-2]]
        out.append(part)
    return out


def _wordy(letter: str) -> bool:
    return letter.isalnum() or letter in {"_", "$"}


def _renamed(pieces: list[str]) -> list[str]:
    """The names of this file, the most used first, get the shortest names that stand nowhere in it."""
    code = [piece for piece in pieces if not piece.isspace()]
    uses = _uses(code)
    own, taken_in = _own(code), _taken_in(code)
    counted = Counter(name for name, use in zip(code, uses, strict=True) if use != "key")
    own |= {name for name in taken_in if (len(name) - 2) * counted[name] > len("name as ab")}
    free = _short(set(code) | _KEYWORDS)
    names = {name: next(free) for name, _ in counted.most_common() if name in own and len(name) > 1}
    use = iter(uses)
    return [piece if piece.isspace() else _written(piece, next(use), names) for piece in pieces]


def _written(piece: str, use: str, names: dict[str, str]) -> str:
    if use == "value" and piece in _SHORTER:
        return _SHORTER[piece]
    if use == "key" or piece not in names:
        return piece
    return names[piece] if use == "value" else f"{piece}{use}{names[piece]}"


def _short(taken: set[str]) -> Iterator[str]:
    names = [*ascii_letters, *(one + two for one in ascii_letters for two in ascii_letters)]
    return (name for name in names if name not in taken)


def _uses(code: list[str]) -> list[str]:
    """Of each piece: "key" (a property), ":" (`{name}`), " as " (the same of an import), or "value"."""
    uses = []
    open_: list[str] = []
    for place, piece in enumerate(code):
        before, after = code[place - 1] if place else "", code[place + 1] if place + 1 < len(code) else ""
        uses.append(_use(before, after, open_[-1] if open_ else "") if _WORD.fullmatch(piece) else "value")
        if piece in {"(", "["}:
            open_.append(piece)
        elif piece == "{":
            open_.append(_brace(before))
        elif piece in _PAIR:
            open_.pop()
        elif piece.startswith(("`", "}")):
            if piece[0] == "}":
                open_.pop()
            if piece.endswith("${"):
                open_.append("template")
    return uses


def _brace(before: str) -> str:
    if before == "import":
        return before
    return "object" if before in _BEFORE_OBJECT or before.endswith("${") else "block"


def _use(before: str, after: str, inside: str) -> str:
    if before in {".", "?."}:
        return "key"
    if inside == "object" and before in {"{", ",", "async"}:
        if after in {":", "("}:
            return "key"
        if after in {",", "}", "="}:
            return ":"
    return " as " if inside == "import" else "value"


def _own(code: list[str]) -> set[str]:
    """Names that the file declares and neither takes in nor gives out."""
    own: set[str] = set()
    foreign: set[str] = set()
    ends = _ends(code)
    for place, piece in enumerate(code):
        if piece in {"import", "export"} and code[place + 1] in {"{", "const", "let", "function", "class", "async"}:
            end = code.index("}", place) if code[place + 1] == "{" else place + 3 + (code[place + 1] == "async")
            foreign.update(code[place + 1 : end + 1] if code[place + 1] == "{" else code[place + 2 : end + 1])
        elif piece in {"const", "let", "function"}:
            own.update(_bound(code, ends, place + 1))
        if piece == "(" and _takes_arguments(code, ends, place):
            own.update(_bound(code, ends, place))
    return {name for name in own if _WORD.fullmatch(name)} - foreign - _KEYWORDS


def _taken_in(code: list[str]) -> set[str]:
    """Names that the file imports, but those that it gives out again or has named anew."""
    names: set[str] = set()
    for place in range(len(code)):
        if code[place : place + 2] == ["import", "{"]:
            part = code[place + 2 : code.index("}", place)]
            names |= {name for name in part if name != ","} if "as" not in part else set()
    return names


def _ends(code: list[str]) -> dict[int, int]:
    """Where each bracket is closed."""
    open_: list[int] = []
    ends = {}
    for place, piece in enumerate(code):
        if piece in {"(", "[", "{"}:
            open_.append(place)
        elif piece in _PAIR:
            ends[open_.pop()] = place
    return ends


def _takes_arguments(code: list[str], ends: dict[int, int], place: int) -> bool:
    after = code[ends[place] + 1 : ends[place] + 2]
    return after in (["=>"], ["{"]) and code[place - 1] not in {"if", "for", "while", "switch"}


def _bound(code: list[str], ends: dict[int, int], place: int) -> set[str]:
    """What a name, a pattern or a list of arguments binds."""
    if code[place] not in {"(", "[", "{"}:
        return {code[place]}
    return {
        code[at]
        for at in range(place + 1, ends[place])
        if code[at - 1] in {"(", "[", "{", ",", ":", "..."} and code[at + 1] in {")", "]", "}", ",", "="}
    }
