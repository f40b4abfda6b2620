"""No word slips through: put one more into a sentence that compiles, and it is noticed."""

import json
from contextlib import suppress

import pytest

from alfred.rules.sentence import compiler
from alfred.rules.sentence.compiler import NotUnderstood
from alfred.rules.sentence.compiler import compile as compile_rule
from tests.pure import test_rules_en, test_rules_es, test_rules_pt

TABLES = [
    (test_rules_pt.SENTENCES, "não", "sem"),
    (test_rules_en.SENTENCES, "not", "without"),
    (test_rules_es.SENTENCES, "no", "sin"),
]
ROWS = [(sentence, turning) for table, *turning in TABLES for sentence, *_ in table]


@pytest.fixture(autouse=True)
def without_suggestions(monkeypatch):
    """Most of the time goes into what a refusal suggests, which test_rules_suggested tries."""
    monkeypatch.setattr(compiler, "suggestions", lambda *_: ())


def with_one_more(sentence, word):
    """The sentence with the word at each place outside quotation marks."""
    words = sentence.split(" ")
    for place in range(len(words) + 1):
        before = " ".join(words[:place])
        if before.count('"') % 2 == before.count("'") % 2 == 0:
            yield " ".join([*words[:place], word, *words[place:]])


def read(sentence):
    with suppress(NotUnderstood):
        return compile_rule(sentence)
    return None


@pytest.mark.parametrize(("sentence", "turning"), ROWS)
def test_an_unknown_word_is_refused_warned_of_or_quoted_back(sentence, turning):
    for longer in with_one_more(sentence, "xyzzy"):
        rule = read(longer)
        if rule is not None and not rule.warnings:
            assert "xyzzy" in json.dumps(rule.compiled.model_dump(mode="json")).lower(), longer


@pytest.mark.parametrize(("sentence", "turning"), ROWS)
def test_a_word_that_turns_the_meaning_never_leaves_it_as_it_was(sentence, turning):
    compiled = compile_rule(sentence).compiled
    for word in turning:
        for longer in with_one_more(sentence, word):
            rule = read(longer)
            assert rule is None or rule.warnings or rule.compiled != compiled, longer
