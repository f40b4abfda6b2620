"""Providers by name: Alfred's own, and those that installed packages bring."""

from collections.abc import Callable
from importlib.metadata import entry_points

from alfred.ai.builtin.provider import MockAIProvider
from alfred.ai.provider import AIProvider

GROUP = "alfred.ai_providers"


class UnknownProvider(Exception):
    """No provider has that name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"No AI provider is called {name!r}; known are: {', '.join(known)}.")
        self.name = name
        self.known = known


def names() -> list[str]:
    """Every name that `provider` knows."""
    return sorted({MockAIProvider.name, *(entry.name for entry in entry_points(group=GROUP))})


def check(name: str) -> None:
    """Whether somebody has that name, before anything is started; raises `UnknownProvider`."""
    if name not in names():
        raise UnknownProvider(name, names())


def provider(name: str) -> AIProvider:
    """The provider of that name; an entry point names something to call without arguments."""
    if name == MockAIProvider.name:
        return MockAIProvider()
    for entry in entry_points(group=GROUP, name=name):
        make: Callable[[], AIProvider] = entry.load()
        return make()
    raise UnknownProvider(name, names())
