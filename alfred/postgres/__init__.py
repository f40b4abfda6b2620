"""The embedded PostgreSQL: one server per home, owned by one process, joined by the others."""

from alfred.postgres.account import Account, Unavailable
from alfred.postgres.embedded import Embedded
from alfred.postgres.folders import default_home

__all__ = ["Account", "Embedded", "Unavailable", "default_home"]
