"""The words that end it when they are a whole message."""

import pytest

from alfred.crm.intake import StopWords

WORDS = StopWords(("SAIR", "Párar", "STOP", "straße", "désinscription"))


@pytest.mark.parametrize(
    "text",
    [
        "SAIR",
        " sair.\n",
        '"Parar"!',
        "párar",
        "PA\u0301RAR",
        "s\u0323\u0301t\u0307op",
        "STRASSE",
        "straße",
        "DE\u0301SINSCRIPTION",
        "\u017ftop",
    ],
)
def test_words_are_heard_without_case_accents_and_what_stands_around(text):
    assert WORDS.are_said_by(text)


@pytest.mark.parametrize("text", [None, "", "sair agora", "não sair", "sair" + "." * 97, "s a i r", "désinscriptions"])
def test_anything_else_is_a_message(text):
    assert not WORDS.are_said_by(text)


def test_without_words_nothing_stops():
    assert not any(map(StopWords().are_said_by, ("", "a", "é", None, "stop")))
