"""Calls made up from the OpenAPI document against a running service (schemathesis, every check).

python -m bench.fuzz.api [--seconds 230] [--seed N] [--only REGEX] [--keep FOLDER]

It starts a service of its own, and makes an environment of its own for schemathesis (bench/tools/api.txt). A run ends
after the seconds given and says how many cases it has tried: repeat it with other seeds until they are enough. With
--keep the report and the service's log stay. The status is 1 where something was found.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.ground import Service, fresh_home, service, sign_up
from bench.tools import python_with

# What ends the account or the session that the other cases need, and streams, which never end.
LEFT_OUT = ("--exclude-operation-id-regex", "^(delete_me|update_password|revoke_session)$",
            "--exclude-path-regex", "/stream$")  # fmt: skip


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
            status = _fuzz(python, at, given, Path(work))
        faults = _server_faults(home.parent)
        if given.keep is not None:
            shutil.copytree(work, given.keep, dirs_exist_ok=True)
            for log in home.parent.glob("*.log"):
                shutil.copy(log, given.keep)
    print(f"the log has {len(faults)} failed requests", *faults[:20], sep="\n")
    return int(status != 0 or bool(faults))


def _fuzz(python: Path, at: Service, given: argparse.Namespace, work: Path) -> int:
    token = sign_up(at).headers["Authorization"]
    some = ["--include-path-regex", given.only] if given.only else []
    options = ["--checks", "all", "--continue-on-failure", "--workers", "2", "--request-timeout", "20", "--no-color"]
    bounds = ["--max-time", str(given.seconds), "--seed", str(given.seed), *LEFT_OUT, *some]
    reports = ["--report", "json,ndjson", "--report-dir", str(work)]
    command = [str(python), "-m", "schemathesis.cli", "run", f"{at.api}/openapi.json", "-H", f"Authorization:{token}"]
    return _told(command + options + bounds + reports, work)


def _told(command: Sequence[str], work: Path) -> int:
    """Its output is kept, and shown."""
    done = subprocess.run(command, check=False, cwd=work, capture_output=True, text=True)
    (work / "told.txt").write_text(done.stdout + done.stderr)
    print(done.stdout, done.stderr)
    return done.returncode


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
