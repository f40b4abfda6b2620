"""The commands: from the words of a shell to a part of the house."""

import gc
import signal

if __name__ == "__main__":
    gc.disable()  # what is loaded at the start stays: to look through it again and again is a fifth of that time
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to clean up

import argparse
import asyncio
import json
import os
import select
import sys
from collections.abc import Sequence

from alfred import log
from alfred.postgres import Unavailable
from alfred.running import provisioned
from alfred.settings import BadSetting, Settings

UNREAD = 141  # as a shell tells of who was ended because nobody reads


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 done, 1 it failed, 2 the settings or the words are wrong, 130 after Ctrl-C, 141
    where whoever read standard output has gone."""
    gc.enable()
    try:
        try:
            return _run(_parser().parse_args(arguments))
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for what is flushed at the end
        return UNREAD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="alfred", description="The CRM backend for people who sell in chats.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="apply the migrations, and serve")
    migrate = commands.add_parser("migrate", help="apply the migrations")
    migrate.add_argument("--down", type=int, metavar="N", help="undo the last N instead")
    scan = commands.add_parser("scan", help="look once for overdue tasks or stalled leads")
    scan.add_argument("scan", choices=["overdue", "stalled"])
    events = commands.add_parser("events", help="the events that were given up after repeated failures")
    events.add_argument("--retry", action="store_true", help="try them again")
    commands.add_parser("seed", help="fill in demo data; twice does no harm")
    walk = commands.add_parser("connect", help="connect a channel to its messenger, step by step")
    walk.add_argument("--address", default="http://127.0.0.1:8000", help="where Alfred listens")
    stored = commands.add_parser("secrets", help="the credentials that are stored encrypted")
    stored.add_argument("action", choices=["rotate"], help="encrypt all with the first key of ALFRED_SECRET_KEY")
    user = commands.add_parser("user", help="accounts: make one, set a password (typed, or a line of standard input)")
    accounts = user.add_subparsers(dest="action", required=True)
    add = accounts.add_parser("add", help="make an account, also where registration is closed")
    add.add_argument("email")
    add.add_argument("--name", help="default: the e-mail's first part")
    accounts.add_parser("password", help="set a password; every session of the account ends").add_argument("email")
    saving = commands.add_parser("backup", help="write database, files and keys to one file, beside a running service")
    saving.add_argument("target", help="a file, a folder, or - for standard output")
    restoring = commands.add_parser("restore", help="fill an empty database, files and keys from a backup")
    restoring.add_argument("source", help="a backup, or - for standard input")
    commands.add_parser("openapi", help="print the OpenAPI document")
    return parser


def _run(given: argparse.Namespace) -> int:
    """Run a command, and tell in a sentence why it failed."""
    try:
        settings = Settings.load(os.environ)
        log.set_up(settings.log_level, settings.log_format)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if given.command in {"scan", "events", "secrets", "openapi"}:
            print(_answer(given, settings))  # noqa: T201
            return 0
        return _act(given, settings)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        status = _status_of(error)
        if status is None or (isinstance(error, BrokenPipeError) and _is_unread()):
            raise
        print(f"alfred: {error}", file=sys.stderr)  # noqa: T201
        return status


def _is_unread() -> bool:
    """Whether whoever read standard output has gone."""
    poll = select.poll()
    poll.register(1, 0)
    return any(state & (select.POLLERR | select.POLLHUP) for _, state in poll.poll(0))


def _status_of(error: Exception) -> int | None:
    """2 for what the operator wrote, 1 for what he is told in a sentence, None for a fault of ours."""
    import asyncpg
    import psycopg

    from alfred.ai.registry import UnknownProvider
    from alfred.backups import BadBackup
    from alfred.db import UnsafeRole
    from alfred.identity import BadAccount

    if isinstance(error, BadSetting | UnknownProvider | UnsafeRole):
        return 2
    told = (BadAccount, BadBackup, Unavailable, OSError, psycopg.OperationalError, asyncpg.PostgresError)
    return 1 if isinstance(error, told) else None


def _act(given: argparse.Namespace, settings: Settings) -> int:
    match given.command:
        case "connect":
            from alfred.connecting import GivenUp, Terminal, connect

            try:
                connect(Terminal(), given.address)
            except GivenUp as reason:
                raise BadSetting(str(reason)) from None
        case "serve":
            from alfred.serving import serve

            return serve(settings)
        case "migrate":
            with provisioned(settings, migrating=True, down=given.down):
                return 0
        case "seed":
            from alfred.seed import seed

            with provisioned(settings) as base:
                asyncio.run(seed(base))
        case "user":
            from alfred.user_accounts import change_accounts

            change_accounts(settings, given.action, given.email, getattr(given, "name", None))
        case "backup":
            from alfred.backups import backup

            backup(settings, given.target)
        case "restore":
            from alfred.backups import restore

            restore(settings, given.source)
    return 0


def _answer(given: argparse.Namespace, settings: Settings) -> str:
    """What a command prints."""
    if given.command == "openapi":
        from alfred.app import described

        return json.dumps(described(), ensure_ascii=False, indent=1)
    from alfred.upkeep import dead_events, rotate_secrets, scan_once

    with provisioned(settings) as base:
        match given.command:
            case "scan":
                return str(asyncio.run(scan_once(base, given.scan)))
            case "events":
                return asyncio.run(dead_events(base, retry=given.retry))
            case _:
                return asyncio.run(rotate_secrets(base))


if __name__ == "__main__":
    sys.exit(main())
