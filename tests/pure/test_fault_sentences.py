"""Whatever pydantic finds wrong with an input is told in our own sentences."""

import importlib
import pkgutil
import re
from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType

import alfred
from alfred.api.ai_provider import NewProvider
from alfred.api.facts import NewFact
from alfred.fault_sentences import FORMS, OURS, SENTENCES, sentence_of
from alfred.http.models import Input

# Of Python's own types, which no JSON, query or form holds.
NOT_OF_INPUT = re.compile(
    r"_?(?:attribute|python_object|frozen|dataclass|named_tuple|default_factory|iteration|ordered_dict|counter|deque|"
    r"hashable|sentinel|ellipsis|is_instance|is_subclass|callable|argument|fraction|complex|union_tag)"
)
# What the libraries say, and would say again in another version.
LIBRARIES = re.compile(
    r"Input should|validation error|isoformat|String should|Value error|instance of|badly formed|must be in \d"
)
ODD = [
    None, True, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", " ", "x", "x" * 100_000, "2026-13-45", "2026-1-1  ",
    "9999-99-99T99:99:99Z", "-5", "\x00", "http://", "ftp://x", [], [None], ["x"] * 2000, [1] * 2000, [["x"]], {},
    {"x": 1}, {"kind": "x"}, {"type": "x"}, {"provider": "x"}, {"id": "x", "kind": "message"},
]  # fmt: skip


def models(kind=BaseModel):
    for module in pkgutil.walk_packages(alfred.__path__, "alfred."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    seen, waiting = set(), [BaseModel]
    while waiting:
        for model in waiting.pop().__subclasses__():
            if model not in seen:
                seen.add(model)
                waiting.append(model)
    return sorted(
        (model for model in seen if model.__module__.startswith("alfred.")), key=lambda each: each.__qualname__
    )


def errors_of(model):
    for value in ODD:
        for given in (value, {field.alias or name: value for name, field in model.model_fields.items()}):
            try:
                model.model_validate(given)
            except ValidationError as error:
                yield from error.errors(include_url=False)


@pytest.mark.parametrize("code", [code for code in get_args(ErrorType) if not NOT_OF_INPUT.match(code)])
def test_every_type_of_error_has_a_sentence(code):
    assert code in SENTENCES.keys() | OURS or NOT_OF_INPUT.search(code)


def test_no_model_answers_in_the_words_of_a_library():
    seen = set()
    for model in models():
        for error in errors_of(model):
            sentence = sentence_of(error)
            seen.add(error["type"])
            assert not LIBRARIES.search(sentence), (model, error["loc"], sentence)
            assert re.fullmatch(r"[^a-z].*\.", sentence, re.DOTALL), (model, error["loc"], sentence)
            assert "{" not in sentence, (model, sentence)
    assert len(seen) > 15


def test_every_pattern_is_told_in_words():
    asked = [model for model in models() if issubclass(model, Input)]
    met = {
        error["ctx"]["pattern"] for model in asked for error in errors_of(model) if "pattern" in error.get("ctx", {})
    }
    assert met <= FORMS.keys()
    assert len(met) > 8


def test_an_amount_that_is_too_large_is_told_in_figures():
    faults = {sentence_of(error) for error in errors_of(NewFact) if error["loc"] == ("price",)}
    assert "This must be less than 1000000000000." in faults


def test_a_secret_that_is_too_long_has_characters_not_entries():
    faults = [sentence_of(error) for error in errors_of(NewProvider) if error["loc"] == ("api_key",)]
    assert "This may have at most 8192 characters." in faults
    assert not [fault for fault in faults if "entries" in fault]
