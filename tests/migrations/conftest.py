"""The tenant who has a row in every table."""

from tests.rich import rich, root

__all__ = ["rich", "root"]
