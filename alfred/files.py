"""Finds the folders of SQL, in a wheel, an editable install or a bare checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """`alfred/<name>` of an installed wheel, else `<name>` beside the package of a checkout."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
