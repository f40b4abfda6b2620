"""Every registered provider keeps the contract."""

import pytest

from alfred.ai.provider import AIProvider
from alfred.ai.registry import UnknownProvider, names, provider
from tests.pure.ai_contract import Contract


class TestEveryProvider(Contract):
    @pytest.fixture(params=names())
    def provider(self, request: pytest.FixtureRequest) -> AIProvider:
        return provider(request.param)


def test_the_built_in_one_is_always_there() -> None:
    assert "mock" in names()


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(UnknownProvider, match=r"'oracle'; known are: .*mock"):
        provider("oracle")
