"""What a start imports, and when: PostgreSQL is started before the application is loaded, and what few need is not."""

import subprocess
import sys

import pytest

PRINT = "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules} | {n for n in sys.modules if '.' in n})"


def imported_by(program):
    run = subprocess.run([sys.executable, "-c", program + PRINT], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("program", "without"),
    [
        ("import alfred.keeper", {"asyncio", "structlog", "pydantic", "psycopg", "shutil", "tempfile", "hashlib"}),
        ("import alfred.__main__, alfred.serving", {"aiohttp", "psycopg", "yoyo", "cryptography", "alfred.app"}),
        ("import alfred.app, alfred.serving", {"psycopg", "yoyo", "obstore", "alfred.ai.llm.guard"}),
        ("import alfred.schema", {"yoyo", "aiohttp", "pydantic"}),
        ("import alfred.ai.builtin.replies", {"asyncio", "aiohttp", "structlog"}),
    ],
)
def test_each_process_imports_what_it_needs(program, without):
    assert imported_by(program) & without == set()


def test_models_are_built_when_they_are_first_needed():
    count = "import alfred.app, pydantic\ndef below(c):\n  for s in c.__subclasses__(): yield s; yield from below(s)\n"
    count += "print(sum(m.__pydantic_complete__ for m in set(below(pydantic.BaseModel))))"
    run = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 20
