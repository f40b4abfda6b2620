"""Backup and restore: the whole database, the files and the keys as one archive, for both kinds of server."""

from alfred.backups.archive import BadBackup
from alfred.backups.commands import backup, restore

__all__ = ["BadBackup", "backup", "restore"]
