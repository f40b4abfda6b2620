"""A locale's language is told by its first part, in one way everywhere."""

import pytest

from alfred.terms import language_of


@pytest.mark.parametrize(
    ("locale", "language"),
    [("pt-BR", "pt"), ("es_MX", "es"), ("EN", "en"), ("est", None), ("fr-FR", None), ("", None), (None, None)],
)
def test_a_locale_has_a_language_or_none(locale, language):
    assert language_of(locale) == language
