"""Look for known weaknesses: bandit over the code of the service, pip-audit over the versions in constraints.txt.

bin/audit. The tools live in an environment of their own (bench/tools/audit.txt). Status 1 where something was found,
2 where the vulnerability service did not know what to say of some package, 0 where all is well.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from bench.ground import ROOT
from bench.tools import python_with

# Kinds that need no look at each line:
# B101 asserts tell the type checker what is known; none judges input. B311 ruff looks at each use of `random` (S311).
# B105 ruff looks at each string that may be a password (S105). B404, B603 processes are started from lists, no shell.
SKIPPED = "B101,B105,B311,B404,B603"
SERVICES = ("pypi", "osv")


def main() -> int:
    """Run both, whatever the first finds."""
    python = python_with("audit")
    return max(_code(python), _packages(python))


def _code(python: Path) -> int:
    done = subprocess.run([python, "-m", "bandit", "-q", "-r", ROOT / "alfred", "-s", SKIPPED], check=False)
    print(f"bandit: {'nothing found' if done.returncode == 0 else 'see above'}", flush=True)
    return int(done.returncode != 0)


def _packages(python: Path) -> int:
    told: list[dict[str, Any]] = []
    for service in SERVICES:
        told = _asked(python, service)
        if any("vulns" in package for package in told):
            break
    known = [package for package in told if "vulns" in package]
    faults = [(package, fault) for package in known for fault in package["vulns"]]
    for package, fault in faults:
        fixed = ", ".join(fault["fix_versions"]) or "none yet"
        print(f"{package['name']} {package['version']}: {fault['id']}, fixed in {fixed}")
    return _verdict(told, len(known), len(faults))


def _asked(python: Path, service: str) -> list[dict[str, Any]]:
    """What a vulnerability service says of each pinned package; nothing where it cannot be reached."""
    with tempfile.TemporaryDirectory() as cache:
        options = ["--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
        where = ["--vulnerability-service", service, "--cache-dir", cache, "-r", str(ROOT / "constraints.txt")]
        command = [str(python), "-m", "pip_audit", *options, *where]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except json.JSONDecodeError:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        print(f"pip-audit: the service {service} did not answer: {reason[:200]}")
        return []
    return packages


def _verdict(told: list[dict[str, Any]], known: int, faults: int) -> int:
    if known == 0:
        print("pip-audit: no vulnerability service could be asked; NOTHING was judged. Run it where one is reachable.")
        return 2
    unknown = Counter("vulns" in package for package in told)[False]
    print(f"pip-audit: {known} packages judged, {unknown} not known to the service, {faults} faults")
    return 1 if faults else 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
