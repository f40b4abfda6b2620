"""Every query of sql/ fits the migrated schema, says why it is there, and is used."""

import re
from pathlib import Path

import pytest

from alfred.queries import File

ROOT = Path(__file__).resolve().parents[2]
QUERIES = {query.name: query for path in sorted((ROOT / "sql").glob("*.sql")) for query in File(path).queries.values()}
SOURCE = "\n".join(path.read_text() for path in (ROOT / "alfred").rglob("*.py"))
USED = {".".join(found) for found in re.findall(r"\bsql\s*\.(\w+)\s*\.(\w+)", SOURCE)}
# `getattr(sql.file, f"verb_{noun}")`: any of the verb's.
CHOSEN = tuple(f"{file}.{verb}" for file, verb in re.findall(r"getattr\(sql\.(\w+), f\"(\w+_){", SOURCE))
MIGRATIONS = "\n".join(
    path.read_text() for path in sorted((ROOT / "migrations").glob("*.sql")) if "rollback" not in path.name
)
TENANT_TABLES = [
    name
    for name, columns in re.findall(r"^create table (\w+) \(\n(.*?)^\)", MIGRATIONS, re.MULTILINE | re.DOTALL)
    if re.search(r"^ +user_id ", columns, re.MULTILINE)
]


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_fits_the_schema_as_the_application(query, app_db):
    prepared = await app_db.prepare(query.text)
    assert len(prepared.get_parameters()) == len(query.parameters)


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_says_why_and_for_whom(query):
    first, *rest = query.text.splitlines()
    assert re.fullmatch(r"-- [A-Z“\"'].*[.:]", first), first
    statement = "\n".join(rest)
    touched = set(re.findall(r"\b(?:from|join|update|into)\s+(\w+)", statement)) & set(TENANT_TABLES)
    assert not touched or "user_id" in query.parameters


def test_every_query_is_used_and_every_used_one_is_there():
    assert USED - {*QUERIES} == set()
    assert [name for name in {*QUERIES} - USED if not name.startswith(CHOSEN or "?")] == []


def test_lower_case():
    """As style has it: a keyword in capitals is a stray."""
    for query in QUERIES.values():
        bare = re.sub(r"'[^']*'|--[^\n]*|\"[^\"]*\"", "", query.text)
        assert not re.findall(r"\b(?:SELECT|FROM|WHERE|AND|INSERT|UPDATE|DELETE|JOIN)\b", bare), query.name


# How each query is run where it is named: none where it is handed on.
WAYS = re.findall(r"\bsql\s*\.(\w+)\s*\.(\w+)\b(?:\.(\w+))?", SOURCE)
READ_WHOLE = {f"{file}.{query}" for file, query, way in WAYS if way not in {"one", "value", "run"}}


@pytest.mark.parametrize("name", [name for name in QUERIES if name in READ_WHOLE])
def test_no_query_reads_without_bound(name):
    """What returns many rows has a limit, or says what bounds it; so does what claims or takes in."""
    text = QUERIES[name].text
    comments = "".join(line for line in text.splitlines(keepends=True) if line.startswith("--"))
    returns = re.search(r"^(?:select|with)|\breturning\b", text, re.MULTILINE)
    by_function = re.search(r"\bapp\.\w+\([^)]*\$\d", text)  # it is handed a limit, or what to look for
    one = re.match(r"-- (?:One\b|.* for one call\b)", comments)
    assert not returns or by_function or one or "-- Bounded by " in comments or re.search(r"\blimit\b", text), name
