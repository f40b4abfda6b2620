"""Finds the folders of SQL, in a wheel, an editable install or a bare checkout, and which version this is."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """`alfred/<name>` of an installed wheel, else `<name>` beside the package of a checkout."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def version_of_alfred() -> str:
    """The installed version; a bare checkout has none."""
    try:
        return version("alfred-crm")
    except PackageNotFoundError:
        return "0.1.0"
