"""`alfred backup` and `alfred restore`: what is in an archive, and in which order."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from alfred import schema
from alfred.backups import tables
from alfred.backups.archive import BadBackup, Reader, reading, writing
from alfred.backups.files import dump_files, load_files
from alfred.files import known_migrations, newest_migration, version_of_alfred
from alfred.media_store import MediaStore
from alfred.module_process import ModuleProcess
from alfred.running import SCHEMA, SECRETS, Provisioned, bring_up, provisioned
from alfred.settings import BadSetting, Settings
from alfred.vault import Vault

log = structlog.get_logger()

FORMAT = 1  # of the archive; a newer one is refused
LEAVE_SECONDS = 3.0  # for connections of a service that has just stopped


def backup(settings: Settings, target: str) -> None:
    """Write the whole of it to a file (or into a folder, or `-`), beside a running service or without one.

    Raises:
        BadBackup: why there is none.
    """
    with provisioned(settings, untouched=True) as base:
        owner, keys = _owner_of(base), _keys_of(base)
        with tables.snapshot(owner) as db, writing(target) as (archive, name):
            columns = tables.tables_of(db)
            archive.add_json("alfred.json", _manifest(base, columns))
            for secret, value in keys.items():
                archive.add_text(f"secrets/{secret}", value)
            rows = tables.dump(db, columns, archive)
            sequences = tables.positions(db)
            files = 0 if settings.media_url else dump_files(MediaStore(base.settings.home, None), archive)
            archive.add_json("end.json", {"rows": rows, "sequences": sequences, "files": files})
        log.info("backup_written", file=name, rows=sum(rows.values()), files=files)
    _say(_advice(settings, keys))


def _manifest(base: Provisioned, columns: tables.Columns) -> dict[str, Any]:
    migrations = schema.applied(_owner_of(base))
    if not migrations:
        raise BadBackup("there is no Alfred in this database: nothing was migrated yet")
    return {
        "format": FORMAT,
        "alfred": version_of_alfred(),
        "created_at": datetime.now(UTC).isoformat(),
        "schema": migrations[-1],
        "migrations": migrations,
        "tables": columns,
        "key_ids": _key_ids(base),
    }


def _advice(settings: Settings, keys: dict[str, bytes]) -> str:
    words = []
    if "secret_key" in keys:
        words.append("The backup holds the key of stored credentials: keep it as safe as the service itself.")
    if settings.secret_key:
        words.append("ALFRED_SECRET_KEY is not in the backup: keep it with it, or stored credentials are lost.")
    if settings.media_url:
        words.append(f"Files are in {settings.media_url}: back that up by itself.")
    return "\n".join(words)


def restore(settings: Settings, source: str) -> None:
    """Fill an empty database, the files and the keys from a backup: all of it, or nothing.

    Raises:
        BadBackup: why it cannot be restored.
    """
    with reading(source) as archive:
        manifest = archive.json("alfred.json")
        _refuse_newer(manifest)
        keys = {name: archive.text() for name in archive.members("secrets/") if name in SECRETS}
        with provisioned(settings, untouched=True) as base:
            _refuse_target(base, manifest, keys)
            with _installed(_home_of(base), keys):
                schema.bring_to(_owner_of(base), manifest["migrations"])
                rows, files = _load(base, manifest, archive)
            with ModuleProcess(SCHEMA) as apart:
                bring_up(apart, _owner_of(base), base.logins, given=base.embedded is None)
    log.info("backup_restored", file=source, rows=rows, files=files, made_at=manifest.get("created_at"))


def _load(base: Provisioned, manifest: dict[str, Any], archive: Reader) -> tuple[int, int]:
    """Rows, then files, then what tells that nothing is missing: only then is it committed."""
    store = MediaStore(base.settings.home, base.settings.media_url)
    with tables.loading(_owner_of(base)) as db:
        rows = tables.load(db, manifest["tables"], archive)
        files = load_files(store, archive)
        end = archive.json("end.json")
        archive.finish()
        if end.get("rows") != rows or end.get("files") != files:
            raise BadBackup("the backup lacks rows or files: nothing was restored")
        tables.set_positions(db, end["sequences"])
    return sum(rows.values()), files


def _refuse_newer(manifest: dict[str, Any]) -> None:
    known, wanted = set(known_migrations()), manifest.get("migrations")
    if manifest.get("format") != FORMAT or not isinstance(wanted, list) or not set(wanted) <= known:
        raise BadBackup(
            f"the backup is of Alfred {manifest.get('alfred')} with the schema {manifest.get('schema')}, "
            f"which this version ({newest_migration()}) does not know: restore it with that version or a newer one"
        )
    columns = manifest.get("tables")
    if not isinstance(columns, dict) or not all(isinstance(names, list) for names in columns.values()):
        raise BadBackup("this is no backup of Alfred, or is damaged")


def _refuse_target(base: Provisioned, manifest: dict[str, Any], keys: dict[str, bytes]) -> None:
    home = _home_of(base)
    if base.embedded is not None and not base.embedded.owner:
        raise BadBackup(f"a service uses {home}: stop it first")
    deadline = time.monotonic() + LEAVE_SECONDS
    while (others := tables.others_connected(_owner_of(base))) and time.monotonic() < deadline:
        time.sleep(0.1)
    if others:
        raise BadBackup(f"{others} connections use the database: stop the service first")
    if not tables.is_empty(_owner_of(base)):
        raise BadBackup("there are accounts in the database: a backup is restored into an empty one only")
    for name, value in keys.items():
        if (home / name).exists() and (home / name).read_bytes().strip() != value.strip():
            raise BadBackup(f"{home / name} is another than the backup's: move it away, or choose another ALFRED_HOME")
    values = [key.get_secret_value() for key in base.settings.secret_key]
    values = values or [value.decode().strip() for name, value in keys.items() if name == "secret_key"]
    if not set(manifest.get("key_ids", [])) <= set(Vault(values).key_ids):
        raise BadBackup("its credentials are encrypted with another key: set the ALFRED_SECRET_KEY of its service")


@contextlib.contextmanager
def _installed(home: Path, keys: dict[str, bytes]) -> Iterator[None]:
    """The keys lie in the home, readable by its owner only; not if what follows fails."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = {home / name: value for name, value in keys.items() if not (home / name).exists()}
    try:
        for file, value in fresh.items():
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(value)
        yield
    except BaseException:
        for file in fresh:
            file.unlink(missing_ok=True)
        raise


def _owner_of(base: Provisioned) -> str:
    if base.owner_dsn is None:
        raise BadSetting("ALFRED_OWNER_DATABASE_URL is needed for a backup and to restore one")
    return base.owner_dsn


def _home_of(base: Provisioned) -> Path:
    assert base.settings.home is not None
    return base.settings.home


def _keys_of(base: Provisioned) -> dict[str, bytes]:
    """The secrets that were made for the home; those that are settings are the operator's."""
    files = {name: _home_of(base) / name for name in SECRETS if not getattr(base.settings, name)}
    return {name: file.read_bytes() for name, file in files.items() if file.is_file()}


def _key_ids(base: Provisioned) -> list[str]:
    """Which keys stored credentials may be encrypted with, by their ids."""
    values = [key.get_secret_value() for key in base.settings.secret_key]
    return Vault(values or [value.decode() for name, value in _keys_of(base).items() if name == "secret_key"]).key_ids


def _say(words: str) -> None:
    if words:
        print(words, file=sys.stderr)  # noqa: T201
