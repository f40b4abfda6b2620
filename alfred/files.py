"""Finds the folders of SQL in a wheel, an editable install or a bare checkout, and tells which version this is."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """`alfred/<name>` of an installed wheel, else `<name>` beside the package of a checkout."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def known_migrations() -> list[str]:
    """All migrations of this version, in their order."""
    return sorted(file.stem for file in folder("migrations").glob("*.sql") if ".rollback" not in file.name)


def newest_migration() -> str:
    """The last migration that this version knows."""
    return known_migrations()[-1]


def version_of_alfred() -> str:
    """The installed version; a bare checkout has none."""
    from importlib.metadata import PackageNotFoundError, version  # brings the mail parser

    try:
        return version("alfred-crm")
    except PackageNotFoundError:
        return "0.1.0"
