"""The weights that were learnt: what they add up, and the kinds of messages that rules alone misread."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alfred.ai.builtin import weighing
from alfred.ai.builtin.fields import fields
from alfred.ai.builtin.provider import classify, rules_of
from alfred.ai.builtin.sentiment import mood_of
from alfred.ai.builtin.signals import read
from alfred.ai.builtin.weighing import NOTHING_SAID, clues, sums_of, weigh
from alfred.ai.builtin.weights import (
    HIDDEN,
    LABELS,
    MOST,
    UNITS,
    WIDTH,
    Table,
    apart,
    decided,
    lanes,
    packed,
    table,
    units,
)
from alfred.ai.provider import Classification
from bench.learner import Learnt
from bench.train_assistant import WRITTEN, write
from tests.ai_eval.score import HERE, rows

HOLDS = {
    "positive": lambda got: got.sentiment == "positive",
    "negative": lambda got: got.sentiment == "negative",
    "negative, medium or high": lambda got: got.sentiment == "negative" and got.urgency != "low",
    "high": lambda got: got.urgency == "high",
    "not high": lambda got: got.urgency != "high",
    "negotiation": lambda got: got.negotiation,
    "task": lambda got: got.should_create_task,
    "no task": lambda got: not got.should_create_task,
}
ALIKE = 0.6  # share of words in common
SAID = "não veio nada, mas amei! hoje? 80 reais gás bebê ruim bom"
WORDS = st.lists(st.sampled_from(SAID.split(" ")), max_size=30)


def probes() -> Iterator[tuple[str, str]]:
    """Each message of `probes.txt` with its kind."""
    kind = ""
    for line in (HERE / "probes.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line and not line.startswith("#"):
            yield kind, line[3:]


def held(kind: str, got: Classification) -> bool:
    return HOLDS[kind.rpartition(": ")[2]](got)


@pytest.mark.parametrize(("kind", "text"), list(probes()))
def test_reads_the_kinds_that_were_once_misread(kind: str, text: str) -> None:
    assert held(kind, classify(text))


def test_no_row_learnt_from_says_nearly_what_a_probe_says() -> None:
    learnt = [(row["text"], words(row["text"])) for name in WRITTEN for row in rows(name)]
    holding = defaultdict(list)  # a word's rows: most rows share none with a probe
    for number, (_, own) in enumerate(learnt):
        for word in own:
            holding[word].append(number)

    for _, text in probes():
        said = words(text)
        shared = Counter(number for word in said for number in holding[word])
        sizes = ((number, many, len(said) + len(learnt[number][1]) - many) for number, many in shared.items())
        assert [learnt[number][0] for number, many, both in sizes if many >= ALIKE * both] == []


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w{2,}", text.lower()))


def plain() -> list[str]:
    """Texts that say nothing, from `plain.txt`."""
    return [line for line in (HERE / "plain.txt").read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "%")]


@pytest.mark.parametrize("text", [*plain(), "x" * 300, "x " * 150, "word " * 30, "palavra " * 30, "1234 " * 60])
def test_what_says_nothing_stays_neutral(text: str) -> None:
    got = classify(text)

    assert (got.sentiment, got.urgency, got.negotiation, got.should_create_task) == ("neutral", "low", False, False)


def test_there_are_enough_plain_texts() -> None:
    assert len(plain()) >= 60


@settings(max_examples=60, deadline=None)
@given(WORDS)
def test_what_is_looked_up_is_what_the_clues_add_up_to(words: list[str]) -> None:
    text = " ".join(words)
    reading = read(text, "pt")
    rules = rules_of(reading, mood_of(reading))
    sums = [0] * WIDTH
    for clue in clues(reading, rules, text):
        sums = [total + weight for total, weight in zip(sums, apart(table().of(clue)), strict=True)]

    assert sums_of(reading, rules, text) == added_up(sums)


def added_up(sums: list[int]) -> list[int]:
    """What the labels weigh, in hundred-thousandths, with what each unit adds that is above nothing."""
    labels = [1_000 * value for value in sums[: len(LABELS)]]
    for value, line in zip(sums[len(LABELS) :], UNITS.read_text().splitlines(), strict=True):
        if value > 0:
            labels = [total + value * int(more) for total, more in zip(labels, line.split(","), strict=True)]
    return labels


def test_a_unit_adds_only_what_is_above_nothing() -> None:
    assert len(units()) == HIDDEN
    told = [0] * len(LABELS)
    below, above = ([*told, value, *[0] * (HIDDEN - 1)] for value in (-70, 70))

    assert decided(lanes(packed(below))) == told
    assert decided(lanes(packed(above))) == added_up(above) != told


@pytest.mark.parametrize("text", ["zxqw vbnm", "qwrtp", "bvnq xqzt"])
def test_without_a_word_that_tells_nothing_is_weighed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weighing, "sums_of", lambda *_: [9_000_000, 0, 0, 0, 0, 9_000_000, 9_000_000, 9_000_000])
    reading = read(text, "pt")

    assert not reading.by
    assert weigh(reading, rules_of(reading, mood_of(reading)), text) == NOTHING_SAID


def test_weights_of_either_sign_are_packed() -> None:
    values = [-3, 0, 5, 100, -MOST, 7, -1, MOST, *range(HIDDEN)]

    assert apart(lanes(packed(values))) == values
    assert apart(lanes(packed(values)) + lanes(packed(values))) == [2 * value for value in values]


def test_reads_the_file_that_is_written(tmp_path: Path) -> None:
    names = ["a", "a*", *(f"{first} w{number}" for first in "abcdefgh" for number in range(40)), 7, "+a", "é"]
    weights = {name: [number % 200 / 100 - 1, *[0.5] * (WIDTH - 1)] for number, name in enumerate(names)}
    write(Learnt(weights, []), tmp_path / "weights.dat", tmp_path / "units.dat")
    table = Table(tmp_path / "weights.dat")

    assert table.count == len(names)
    for name, values in weights.items():
        assert apart(table.of(name)) == [round(value * 100) for value in values]
    for first in "abcdefgh":
        assert table.after(first) == {f"w{number}": table.of(f"{first} w{number}") for number in range(40)}


def test_a_word_that_begins_a_pair_is_kept(tmp_path: Path) -> None:
    weights = {"a": [0.0] * WIDTH, "b": [0.0] * WIDTH, "a b": [0.5] * WIDTH}
    write(Learnt(weights, []), tmp_path / "weights.dat", tmp_path / "units.dat")
    table = Table(tmp_path / "weights.dat")

    assert table.of("a") != 0 == table.of("b")
    assert table.after("a").keys() == {"b"}


def test_looks_up_words_and_the_words_after_them() -> None:
    follow = table().after("nao")

    assert table().after("não") == {}  # only folded words have weights
    assert {"veio", "chegou"} <= follow.keys()
    assert all(table().of(f"nao {second}") == weight for second, weight in follow.items())
    assert table().of("nao") != 0
    assert table().of("zxqw") == table().of("\udcff") == 0
    assert table().after("zxqw") == {}


@pytest.mark.parametrize(
    ("language", "word", "field"),
    [
        ("pt", "vomitando", "ill"),
        ("en", "refund", "refundw"),
        ("es", "descuentito", "discount"),
        ("en", "rude", "rude"),
    ],
)
def test_knows_the_fields_of_a_word(language: str, word: str, field: str) -> None:
    own = fields(language)  # type: ignore[arg-type]

    assert field in [own.names[number] for number in own.of(word)]
    assert own.of("zxqw") == ()
