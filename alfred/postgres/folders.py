"""Where the server lives: a home that its account can reach, a private folder for a short socket path."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from alfred.postgres.account import Account, Unavailable, of_uid, server_account

# What a home has before there is a server in it: of a service with a database of its own elsewhere.
WITHOUT_SERVER = frozenset({"jwt_secret", "secret_key", "media"})
SOCKET_LIMIT = 103  # bytes of a socket's whole path: macOS; Linux allows 107


def default_home(checkout: Path, account: str | None = None) -> Path:
    """`.alfred` in the checkout, or the customary folder where the server cannot have that."""
    if os.geteuid():
        if os.access(checkout, os.W_OK):
            return checkout / ".alfred"
        return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "alfred"
    reachable = server_account(account).may("-x", checkout)
    return checkout / ".alfred" if reachable else Path("/var/lib/alfred")


def sockets_of(home: Path) -> Path:
    """The same for every process and over a take-over: in the home, or named after it where that is long."""
    inside = home / "run"
    if len(os.fsencode(inside / ".s.PGSQL.5432")) <= SOCKET_LIMIT:
        return inside
    import hashlib  # brings OpenSSL

    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(f"/tmp/alfred-{name}")  # noqa: S108 - not trusted before owner and mode are checked # nosec B108


def data_folders(home: Path) -> list[Path]:
    """One for each major version; the newest last."""
    found = [folder for folder in home.glob("data*") if folder.name[4:].isdigit()]
    return sorted(found, key=lambda folder: int(folder.name[4:]))


def resident(home: Path, wanted: str | None) -> Account:
    """The account that the data in this home belong to, or will."""
    account = server_account(wanted)
    owners = {folder.stat().st_uid for folder in data_folders(home)} - {account.uid}
    if not owners:
        return account
    if os.geteuid() or wanted:
        raise Unavailable(f"the data in {home} belong to {of_uid(owners.pop()).name}, not to {account.name}")
    return of_uid(owners.pop())


def open_home(home: Path, wanted: str | None) -> None:
    """Makes it, or says why it cannot serve; nobody else's permissions are changed, nor a parent's."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise Unavailable(f"{home} cannot be written by {of_uid(os.geteuid()).name}: choose another home")
    account = resident(home, wanted)
    if account.uid != os.geteuid() and WITHOUT_SERVER.issuperset(entry.name for entry in home.iterdir()):
        os.chown(home, -1, account.gid)  # it stays root's own; the account may only pass through
        home.chmod(0o710)
    if not account.may("-x", home):
        raise Unavailable(f"{account.name} cannot reach {home}: choose a home such as /var/lib/alfred")


def make_private(folder: Path, account: Account) -> None:
    """The door to the server. Root lets the account's group pass, as which its web process comes: the server asks the
    kernel who somebody is (`peer`)."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        check_private(folder, account)
    else:
        give(folder, account)
    if os.geteuid() == 0:
        folder.chmod(0o710)


def check_private(folder: Path, account: Account) -> None:
    """Whoever may write there could pose as the server; whoever may enter is asked for nothing else, but by root's."""
    found = folder.lstat()
    passing = 0o010 if os.geteuid() == 0 and found.st_gid == account.gid else 0
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077 & ~passing:
        raise Unavailable(f"{folder} is not a private folder of {account.name}: remove it")


def admit(home: Path, account: Account, guests: dict[str, Sequence[str]], *, any_role: bool) -> list[str | Path]:
    """Whom root's server takes for whom: options of the server. `guests`: the roles that an account may log in as.

    `any_role`: from 16 on PostgreSQL knows the word `all` in a map. An older one guards the superuser and the owner.
    """
    if os.geteuid():
        return []
    guarded = ("all",) if any_role else ("postgres", "alfred_owner")
    known: dict[str, Sequence[str]] = {**guests, "root": guarded, account.name: guarded}
    rules = f"local all {','.join(guarded)} peer map=alfred\n" + ("" if any_role else "local all all trust\n")
    map_ = "".join(f"alfred {name} {role}\n" for name, roles in known.items() for role in roles)
    for name, text in (("hba.conf", rules), ("ident.conf", map_)):
        (fresh := home / f".{name}").write_text(text)
        os.chown(fresh, 0, account.gid)
        fresh.chmod(0o640)
        fresh.rename(home / name)
    return ["-c", f"hba_file={home / 'hba.conf'}", "-c", f"ident_file={home / 'ident.conf'}"]


def give(folder: Path, account: Account) -> None:
    if account.uid != os.geteuid():
        os.chown(folder, account.uid, account.gid)
