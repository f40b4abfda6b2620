"""Whom the server runs as: PostgreSQL refuses root, so root lends it an existing account without rights."""

import os
import pwd
import subprocess as sp
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Unavailable(Exception):
    """Why there is no embedded PostgreSQL: one sentence for the operator."""


class Account(NamedTuple):
    name: str
    uid: int
    gid: int

    def may(self, test: str, path: Path, groups: Sequence[int] = ()) -> bool:
        """Asks the kernel as that account: modes alone would not tell (parents, ACLs, mounts)."""
        rights: dict[str, Any] = {}
        if self.uid != os.geteuid():
            rights = {"user": self.uid, "group": self.gid, "extra_groups": list(groups)}
        ask = sp.run(["/bin/sh", "-c", f'test {test} "$0"', path], cwd="/", timeout=30, check=False, **rights)
        return ask.returncode == 0


def of_uid(uid: int) -> Account:
    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        return Account(f"uid {uid}", uid, os.getegid())
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def server_account(wanted: str | None) -> Account:
    """Ourselves, unless we are root."""
    if os.geteuid():
        return of_uid(os.geteuid())
    for name in [wanted] if wanted else ["postgres", "nobody"]:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid:
            return Account(found.pw_name, found.pw_uid, found.pw_gid)
    raise Unavailable(f"PostgreSQL refuses root, and there is no account {wanted or 'postgres or nobody'} to lend it")
