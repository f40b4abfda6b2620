"""What root gives up before it serves: the web process is an account without rights, and cannot go back."""

import ctypes
import os
import pwd
import shutil
import subprocess as sp
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from alfred.postgres import Account, Unavailable

log = structlog.get_logger()

MADE = "alfred"  # an account that is made where there is none to take
# Of <sys/prctl.h> and <linux/capability.h>.
_SET_DEATH_SIGNAL, _SET_DUMPABLE, _KEEP_CAPABILITIES, _NO_NEW_PRIVILEGES = 1, 4, 8, 38
_VERSION_3, _READ_EVERYTHING = 0x20080522, 1 << 2


def web_account(wanted: str | None, server: Account | None) -> Account:
    """Whom the web process becomes: the one that was chosen, else `alfred`, else `nobody`, but not the server's own.

    Raises:
        Unavailable: there is none.
    """
    for name in [wanted] if wanted else [MADE, "nobody"]:
        account = _known(name)
        if account is not None and (wanted or server is None or account.uid != server.uid):
            return account
    if wanted is None and (account := _made()) is not None:
        log.info("account_made", account=MADE)
        return account
    if wanted is None and server is not None:
        log.warning("account_shared", account=server.name, advice="make an account alfred")
        return server
    raise Unavailable(f"root does not serve, and there is no account {wanted or MADE} to do it: set ALFRED_ACCOUNT")


def _known(name: str) -> Account | None:
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(found.pw_name, found.pw_uid, found.pw_gid) if found.pw_uid else None


def _made() -> Account | None:
    program = shutil.which("useradd", path="/usr/sbin:/sbin")
    if program is not None:
        words = [program, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", MADE]
        sp.run(words, capture_output=True, timeout=30, check=False)
    return _known(MADE)


def hand_over(folder: Path, account: Account) -> None:
    """A folder of files, with what root left in it, becomes the account's."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid == account.uid:
        return
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            os.lchown(Path(parent) / name, account.uid, account.gid)
    os.chown(folder, account.uid, account.gid)  # last: what was broken off begins anew


def open_way(home: Path, account: Account, groups: Sequence[int]) -> None:
    """Let the account pass through a home of root's, which stays that; what lies in it is protected by itself."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not account.may("-x", home, groups) and (home.stat().st_uid, home.stat().st_gid) == (0, 0):
        os.chown(home, -1, account.gid)
        home.chmod(0o710)


def give_up_root(account: Account, groups: Sequence[int], needed: Sequence[Path], at_parents_death: int) -> None:
    """For good. Where something needed is closed to the account (a checkout below /root), reading is the one right
    that it keeps."""
    closed = [path for path in needed if not account.may("-x" if path.is_dir() else "-r", path, groups)]
    if closed and sys.platform == "linux":
        log.warning("reading_kept", account=account.name, closed=str(closed[0]))
        _prctl(_KEEP_CAPABILITIES, 1)
    os.setgroups(groups)
    os.setgid(account.gid)
    os.setuid(account.uid)
    if sys.platform == "linux":
        _prctl(_SET_DEATH_SIGNAL, at_parents_death)  # which the change of account has cleared
        _keep_rights(_READ_EVERYTHING if closed else 0)
        _prctl(_NO_NEW_PRIVILEGES, 1)
        if account.name != "nobody":  # whom others may be too; without it /proc/self is closed to the process itself
            _prctl(_SET_DUMPABLE, 1)
    if os.getuid() != account.uid or os.geteuid() != account.uid:
        raise Unavailable(f"root could not become {account.name}")


def _keep_rights(rights: int) -> None:
    class Header(ctypes.Structure):
        _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))

    words = (ctypes.c_uint32 * 6)(rights, rights, 0, 0, 0, 0)  # effective, permitted, inheritable; the high halves
    header = Header(_VERSION_3, 0)
    if ctypes.CDLL(None, use_errno=True).capset(ctypes.byref(header), words):
        raise OSError(ctypes.get_errno(), "capset")


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def fork_apart(work: Callable[[], int]) -> int:
    """Run the work in a process of its own, which ends with this one; its pid. Single-threaded callers only."""
    parent = os.getpid()
    if pid := os.fork():
        return pid
    status = 1
    try:
        status = work() if os.getppid() == parent else 1
    except KeyboardInterrupt:
        status = 130
    except BaseException as error:  # noqa: BLE001 - nothing of the parent's may run on here
        print(f"alfred: {error}", file=sys.stderr)  # noqa: T201
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
