"""The tools that developers run in environments of their own: what is pinned, and what the audit concludes."""

import re

import pytest

from bench import audit
from bench.tools import HERE

FAULT = {"id": "PYSEC-1", "fix_versions": ["2"], "aliases": [], "description": ""}
SAFE = {"name": "a", "version": "1", "vulns": []}
UNSAFE = {"name": "b", "version": "1", "vulns": [FAULT]}
UNKNOWN = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize("path", sorted(HERE.glob("*.txt")), ids=lambda path: path.stem)
def test_every_tool_is_pinned(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ([SAFE], 0, "1 packages judged, 0 not known to the service, 0 faults"),
        ([SAFE, UNSAFE], 1, "b 1: PYSEC-1, fixed in 2"),
        ([SAFE, UNKNOWN], 2, "1 not known"),
        ([UNKNOWN], 2, "NOTHING was judged"),
        ([], 2, "NOTHING was judged"),
    ],
)
def test_the_audit_says_what_it_did_not_judge(monkeypatch, capsys, told, status, words):
    monkeypatch.setattr(audit, "_asked", lambda _python, _service: told)
    assert audit._packages(None) == status
    assert words in capsys.readouterr().out
