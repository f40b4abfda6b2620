"""Calls made up from the OpenAPI document against a running service (schemathesis, every check).

python -m bench.fuzz.api [--seconds 230] [--seed N] [--only REGEX] [--keep FOLDER]

It starts a service of its own, and makes an environment of its own for schemathesis (bench/tools/api.txt). A run ends
after the seconds given and says how many cases it has tried: repeat it with other seeds until they are enough. With
--keep the report and the service's log stay. The status is 1 where something was found that is not explained below.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.ground import Service, fresh_home, service, sign_up
from bench.tools import python_with

# What ends the account or the session that the other cases need, and streams, which never end.
LEFT_OUT = "^(delete_me|update_password|revoke_session|stream_notifications|stream_events)$"

# Checks that a contract stricter or milder than its schema fails, by intent; look at them anew when the API changes.
EXPLAINED = {
    "positive_data_acceptance": "what a schema cannot say: damaged cursors, sentences, missing things, either-or",
    "negative_data_rejection": "read mildly, for forms and n8n: numbers as text, 0 as false, empty text as left out",
    "unsupported_method": "a fixed path beside one with an id, such as /contacts/import: 404 for the id, not 405",
    "max_response_time": "a long poll waits as long as it is asked to",
    "allow_header_conformance": "likewise: methods of the path with an id are listed too",
    "ensure_resource_availability": "a channel's hook comes with its connection: 404 before",
}


def main() -> int:
    """Fuzz, and print what was tried and found."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=int, default=230)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--only", default="", help="paths to try, as a regular expression")
    asked.add_argument("--keep", type=Path)
    given = asked.parse_args()
    python = python_with("api")
    with fresh_home() as home, tempfile.TemporaryDirectory() as work:
        with service(home, rate_limit="100000000", registration_limit="1000000") as at:
            _fuzz(python, at, given, Path(work))
        cases, failed = _tried(Path(work))
        faults = _server_faults(home.parent)
        if given.keep is not None:
            shutil.copytree(work, given.keep, dirs_exist_ok=True)
            for log in home.parent.glob("*.log"):
                shutil.copy(log, given.keep)
    print(f"{cases:,} cases; the log has {len(faults)} failed requests", *faults[:20], sep="\n")
    for check, count in failed.most_common():
        print(f"{check}: {count} times; {EXPLAINED.get(check, 'NOT EXPLAINED')}")
    return int(cases == 0 or bool(faults) or bool(failed.keys() - EXPLAINED.keys()))


def _fuzz(python: Path, at: Service, given: argparse.Namespace, work: Path) -> None:
    token = sign_up(at).headers["Authorization"]
    some = ["--include-path-regex", given.only] if given.only else []
    options = ["--checks", "all", "--continue-on-failure", "--workers", "1", "--request-timeout", "20", "--no-color"]
    bounds = [
        "--max-time",
        str(given.seconds),
        "--seed",
        str(given.seed),
        "--exclude-operation-id-regex",
        LEFT_OUT,
        *some,
    ]
    reports = ["--report", "json,ndjson", "--report-dir", str(work)]
    command = [str(python), "-m", "schemathesis.cli", "run", f"{at.api}/openapi.json", "-H", f"Authorization:{token}"]
    _told(command + options + bounds + reports, work)


def _told(command: Sequence[str], work: Path) -> None:
    """Its output is kept, and the end of it shown."""
    done = subprocess.run(command, check=False, cwd=work, capture_output=True, text=True)
    (work / "told.txt").write_text(done.stdout + done.stderr)
    print(done.stdout.rpartition(" SUMMARY ")[2], done.stderr)


def _tried(work: Path) -> tuple[int, Counter[str]]:
    """How many cases there were, and how often each check has failed."""
    cases, failed = 0, Counter[str]()
    for recorder in _recorders(work):
        cases += len(recorder.get("cases", {}))
        for checks in recorder.get("checks", {}).values():
            failed.update(check["name"] for check in checks if check["status"] == "failure")
    return cases, failed


def _recorders(work: Path) -> Iterator[dict[str, Any]]:
    for report in work.glob("ndjson-*.ndjson"):
        with report.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line).get("ScenarioFinished", {}).get("recorder", {})


def _server_faults(folder: Path) -> list[str]:
    """What the service has logged as its own fault."""
    lines = [line for log in folder.glob("service-*.log") for line in log.read_text(errors="replace").splitlines()]
    return [line[:500] for line in lines if "request_failed" in line or _level(line) in ("error", "critical")]


def _level(line: str) -> str:
    try:
        return str(json.loads(line).get("level", ""))
    except (ValueError, AttributeError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
