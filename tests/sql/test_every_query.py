"""Every query of sql/ fits the migrated schema, says why it is there, and is used."""

import re
from pathlib import Path

import pytest

from alfred.queries import File

ROOT = Path(__file__).resolve().parents[2]
QUERIES = {query.name: query for path in sorted((ROOT / "sql").glob("*.sql")) for query in File(path).queries.values()}
USED = {
    ".".join(found)
    for path in (ROOT / "alfred").rglob("*.py")
    for found in re.findall(r"\bsql\s*\.(\w+)\s*\.(\w+)", path.read_text())
}
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
    assert {*QUERIES} == USED


def test_lower_case():
    """As style has it: a keyword in capitals is a stray."""
    for query in QUERIES.values():
        bare = re.sub(r"'[^']*'|--[^\n]*|\"[^\"]*\"", "", query.text)
        assert not re.findall(r"\b(?:SELECT|FROM|WHERE|AND|INSERT|UPDATE|DELETE|JOIN)\b", bare), query.name
