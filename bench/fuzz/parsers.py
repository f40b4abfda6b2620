"""Bytes made up by coverage (atheris, libFuzzer) for whatever reads text or bytes.

python -m bench.fuzz.parsers [--seconds 120] [--only normalisers,mail,rules,cursors,tables]

Each target is fuzzed for the seconds given in a process of its own, from the examples of the tests; the environment
for atheris is made at the first run (bench/tools/parsers.txt). An input that raises, takes over 5 seconds or 2 GB is
printed in base64, and the status is 1.
"""

import argparse
import base64
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from bench.fuzz.targets import ROOT, TARGETS
from bench.tools import python_with

_RUN = """
import sys, atheris
with atheris.instrument_imports(include=["alfred"]):
    from bench.fuzz.targets import TARGETS
atheris.Setup(sys.argv, TARGETS["{name}"][0])
atheris.Fuzz()
"""


def main() -> int:
    """Fuzz one target after another, and print what was tried and found."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=int, default=120)
    asked.add_argument("--only", default=",".join(TARGETS))
    given = asked.parse_args()
    python = python_with("parsers")
    return max(_fuzz(python, name, given.seconds) for name in given.only.split(","))


def _fuzz(python: Path, name: str, seconds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, example in enumerate(TARGETS[name][1]()):
            (corpus / str(number)).write_bytes(example)
        limits = [f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=2048", "-max_len=65536", "-seed=1"]
        command = [str(python), "-c", _RUN.format(name=name), *limits, f"-artifact_prefix={folder}/found-", str(corpus)]
        done = subprocess.run(
            command, env=_environment(), capture_output=True, text=True, errors="replace", check=False
        )
        return _told(name, done, Path(folder))


def _environment() -> dict[str, str]:
    """Alfred's own packages beside those of the tool: one Python, two environments."""
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), sysconfig.get_path("purelib")))}


def _told(name: str, done: subprocess.CompletedProcess[str], folder: Path) -> int:
    runs = re.findall(r"Done (\d+) runs|^#(\d+)", done.stderr, re.MULTILINE)
    covered = re.findall(r"cov: (\d+)", done.stderr)
    tried = next((word for word in reversed([done or at for done, at in runs]) if word), "0")
    found = sorted(folder.glob("found-*"))
    print(
        f"{name}: {int(tried):,} inputs, {covered[-1] if covered else 0} places covered, {len(found)} found", flush=True
    )
    for path in found:
        print(f"  {path.name}: {base64.b64encode(path.read_bytes()).decode()}")
    if done.returncode:
        print("\n".join(done.stderr.splitlines()[-40:]))
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
