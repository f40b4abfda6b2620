"""Providers by name: Alfred's own, and those that installed packages bring."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alfred.ai.provider import AIProvider

GROUP = "alfred.ai_providers"
OWN = "mock"  # Alfred's own


class UnknownProvider(Exception):
    """No provider has that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"No AI provider is called {name!r}; known are: {', '.join(known)}.")
        self.name = name
        self.known = known


def names() -> list[str]:
    """Every name that `provider` knows."""
    from importlib.metadata import entry_points

    return sorted({OWN, *(entry.name for entry in entry_points(group=GROUP))})


def check(name: str) -> None:
    """Whether somebody has that name, before anything is started; raises `UnknownProvider`."""
    if name != OWN and name not in names():
        raise UnknownProvider(name, names())


def provider(name: str) -> "AIProvider":
    """The provider of that name; an entry point names something to call without arguments."""
    if name == OWN:
        from alfred.ai.builtin.provider import MockAIProvider

        return MockAIProvider()
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP, name=name):
        make: Callable[[], AIProvider] = entry.load()
        return make()
    raise UnknownProvider(name, names())
