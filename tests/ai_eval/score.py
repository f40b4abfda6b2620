"""Scores a classifier on a file of labelled messages, by the rules of this folder's README."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alfred.ai.builtin.provider import classify
from alfred.ai.provider import Classification

HERE = Path(__file__).parent
LABELS = {"sentiment": ("positive", "neutral", "negative"), "urgency": ("low", "medium", "high")}
TRUE_OR_FALSE = {"negotiation": "negotiation", "create_task": "should_create_task"}
Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line.strip()]


_TOMORROW = re.compile(r"\b(?:amanh[ãa]|tomorrow|(?<!la )(?<!pasado )ma[ñn]ana(?! por la| en la))\b", re.IGNORECASE)
_PRICE = re.compile(r"price question|question price|quote request|training quote|^quote|wedding quote")
_CALM = re.compile(r"calm cancel|cancel calm|cancel dissatisfied|cancel for price|calm cancel unhappy")


def by_our_rules(row: Row) -> Row:
    """A blind row with the labels of this folder's rules where its writers were told otherwise.

    They took a price that is only asked for no negotiation, tomorrow for `medium`, and a calm cancellation for `low`.
    Decided by the words and the `kind` alone, so that nobody need read the rows that are held back.
    """
    row = dict(row)
    if row["urgency"] == "medium" and _TOMORROW.search(row["text"]):
        row["urgency"] = "high"
    if row["urgency"] == "low" and _CALM.search(row["kind"]):
        row["urgency"] = "medium"
    row["negotiation"] = row["negotiation"] or bool(_PRICE.search(row["kind"]))
    return row


def f1(pairs: Iterable[tuple[Any, Any]], label: Any) -> float | None:
    """F1 of one label over (wanted, given) pairs; None where nobody has it."""
    pairs = list(pairs)
    hit = sum(w == label == g for w, g in pairs)
    missed = sum(w == label != g for w, g in pairs)
    extra = sum(w != label == g for w, g in pairs)
    return 2 * hit / (2 * hit + missed + extra) if hit + missed + extra else None


def macro(pairs: list[tuple[Any, Any]], labels: Iterable[Any]) -> float:
    found = [value for label in labels if (value := f1(pairs, label)) is not None]
    return sum(found) / len(found)


def given(labelled: list[Row]) -> list[Classification]:
    return [classify(row["text"]) for row in labelled]


def score(labelled: list[Row]) -> dict[str, float]:
    return tallied(labelled, given(labelled))


def tallied(labelled: list[Row], got: list[Classification]) -> dict[str, float]:
    """The scores of what was read, by field, and by field and language."""
    paired = list(zip(labelled, got, strict=True))
    found: dict[str, float] = {}
    for field, labels in LABELS.items():
        pairs = [(row[field], getattr(one, field)) for row, one in paired]
        found[field] = macro(pairs, labels)
        for code in ("pt", "en", "es"):
            found[f"{field}.{code}"] = macro(
                [(row[field], getattr(one, field)) for row, one in paired if row["lang"] == code], labels
            )
    for field, name in TRUE_OR_FALSE.items():
        pairs = [(row[field], getattr(one, name)) for row, one in paired]
        found[field] = f1(pairs, True) or 0.0
        for code in ("pt", "en", "es"):
            found[f"{field}.{code}"] = (
                f1([pair for pair, (row, _) in zip(pairs, paired, strict=True) if row["lang"] == code], True) or 0.0
            )
    found["language"] = sum(r["lang"] == g.language for r, g in paired) / len(paired)
    return found


def wrong(labelled: list[Row]) -> list[str]:
    found = []
    for row in labelled:
        got = classify(row["text"])
        pairs = (
            ("sentiment", row["sentiment"], got.sentiment),
            ("urgency", row["urgency"], got.urgency),
            ("negotiation", row["negotiation"], got.negotiation),
            ("create_task", row["create_task"], got.should_create_task),
            ("language", row["lang"], got.language),
        )
        missed = "; ".join(f"{name} {wanted}->{given}" for name, wanted, given in pairs if wanted != given)
        if missed:
            found.append(f"{row['id']} {row['text']}\n      {missed}")
    return found
