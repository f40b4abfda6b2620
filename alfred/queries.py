"""sql/*.sql becomes sql.<file>.<query>: named statements with named parameters, run in four ways."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from alfred.files import folder

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Row: TypeAlias = asyncpg.Record
    Db: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:  # generic only for the type checker
    Row, Db = asyncpg.Record, asyncpg.Connection

# Strings, quoted names, comments, dollar bodies and casts are stepped over; a `:name` elsewhere is a parameter.
_TOKENS = re.compile(
    r"""(?P<skip>'(?:[^']|'')*'|"[^"]*"|--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|::)|:(?P<name>[a-z_]\w*)""",
    re.DOTALL,
)
_HEADER = re.compile(r"^-- (name|part): (\w+)\s*$", re.MULTILINE)
_PART = re.compile(r"{{(\w+)}}")


class Query:
    """One named statement; keyword arguments fill its `:names`."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.parameters: list[str] = []
        self.text = _TOKENS.sub(self._place, text).strip()

    def for_any(self, parameter: str) -> "Query":
        """The same statement for a list of values, where it compares a column with one."""
        several = Query.__new__(Query)
        several.name, several.parameters = f"{self.name} for any {parameter}", list(self.parameters)
        place = re.escape(f"${self.parameters.index(parameter) + 1}")
        several.text = re.sub(rf"= {place}\b", lambda found: f"= any ({found[0][2:]})", self.text)
        return several

    def _place(self, token: re.Match[str]) -> str:
        parameter = token["name"]
        if parameter is None:
            return token[0]
        if parameter not in self.parameters:
            self.parameters.append(parameter)
        return f"${self.parameters.index(parameter) + 1}"

    def _arguments(self, given: dict[str, Any]) -> list[Any]:
        if given.keys() != set(self.parameters):
            raise TypeError(f"{self.name} takes {sorted(self.parameters)}, not {sorted(given)}")
        return [given[parameter] for parameter in self.parameters]

    async def all(self, db: "Db", **given: Any) -> "list[Row]":
        """Every row."""
        return await db.fetch(self.text, *self._arguments(given))

    async def one(self, db: "Db", **given: Any) -> "Row | None":
        """The first row, if any."""
        return await db.fetchrow(self.text, *self._arguments(given))

    async def value(self, db: "Db", **given: Any) -> Any:
        """The first column of the first row, or None."""
        return await db.fetchval(self.text, *self._arguments(given))

    async def run(self, db: "Db", **given: Any) -> int:
        """Do it; the number of rows that it touched."""
        tag = await db.execute(self.text, *self._arguments(given))
        return int(tag.rsplit(" ", 1)[-1]) if tag[-1].isdigit() else 0


class File:
    """The queries of one file, as attributes; what several of them say stands once, under `part`."""

    def __init__(self, path: Path) -> None:
        _, *pieces = _HEADER.split(path.read_text(encoding="utf-8"))
        texts: dict[str, dict[str, str]] = {"name": {}, "part": {}}
        for kind, name, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True):
            texts[kind][name] = text
        parts = texts["part"]
        self.queries = {
            name: Query(f"{path.stem}.{name}", _PART.sub(lambda part: parts[part[1]].strip(), text))
            for name, text in texts["name"].items()
        }

    def __getattr__(self, name: str) -> Query:
        try:
            return self.__dict__["queries"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"no query is named {name}") from None


class Folder:
    """The files of sql/, as attributes, each read when first asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getattr__(self, name: str) -> File:
        path = self._path / f"{name}.sql"
        if not path.is_file():
            raise AttributeError(f"sql/{name}.sql is not there")
        file = File(path)
        setattr(self, name, file)
        return file


sql = Folder(folder("sql"))
