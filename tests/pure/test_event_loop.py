"""The service runs on uvloop where it is installed."""

import asyncio
import sys

import uvloop

from alfred.serving import loop_factory


def test_serves_on_the_faster_loop():
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert isinstance(runner.get_loop(), uvloop.Loop)


def test_serves_without_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
