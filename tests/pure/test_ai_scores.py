"""The built-in classifier reaches its floors on the labelled messages."""

from tests.ai_eval.score import HERE, rows, score


def test_floors_on_the_eighty_rows() -> None:
    got = score(rows("messages.jsonl"))

    assert got["sentiment"] >= 0.75
    assert got["urgency"] >= 0.75
    assert got["negotiation"] >= 0.88
    assert got["create_task"] >= 0.78
    assert got["language"] >= 0.95


def test_floors_on_our_own_messages() -> None:
    names = sorted(path.name for path in HERE.glob("own*.jsonl") if path.stem != "own_aside")
    labelled = [row for name in names for row in rows(name)]
    got = score(labelled)

    assert len(labelled) >= 300
    assert min(got[f"sentiment.{code}"] for code in ("pt", "en", "es")) >= 0.75
    assert got["urgency"] >= 0.75
    assert got["negotiation"] >= 0.88
    assert got["create_task"] >= 0.78
    assert got["language"] >= 0.95


def test_floors_on_the_messages_set_aside() -> None:
    got = score(rows("own_aside.jsonl"))

    assert got["sentiment"] >= 0.65
    assert got["urgency"] >= 0.68
    assert got["negotiation"] >= 0.85
    assert got["create_task"] >= 0.70
    assert got["language"] >= 0.95


def test_floors_on_messages_that_nobody_reads() -> None:
    got = score(rows("blind_held.jsonl"))

    assert got["sentiment"] >= 0.85
    assert got["urgency"] >= 0.77
    assert got["negotiation"] >= 0.88
    assert got["create_task"] >= 0.90


def test_floors_on_plainer_messages_that_nobody_reads() -> None:
    got = score(rows("blind_held2.jsonl"))

    assert got["sentiment"] >= 0.93
    assert got["urgency"] >= 0.92
    assert got["negotiation"] >= 0.93
    assert got["create_task"] >= 0.95


def test_floors_on_chats_mails_and_reviews_that_nobody_reads() -> None:
    got = score(rows("blind_held3.jsonl"))

    assert got["sentiment"] >= 0.87
    assert got["urgency"] >= 0.89
    assert got["negotiation"] >= 0.92
    assert got["create_task"] >= 0.90
    assert min(got[f"{field}.{code}"] for field in ("urgency", "create_task") for code in ("pt", "en", "es")) >= 0.85


def test_floors_on_messages_told_sideways_that_nobody_reads() -> None:
    got = score(rows("blind_held4.jsonl"))

    assert got["sentiment"] >= 0.82
    assert got["urgency"] >= 0.78
    assert got["negotiation"] >= 0.84
    assert got["create_task"] >= 0.84


def test_floors_on_natural_messages_that_nobody_reads() -> None:
    got = score(rows("blind_held5.jsonl"))

    assert got["sentiment"] >= 0.90
    assert got["urgency"] >= 0.90
    assert got["negotiation"] >= 0.94
    assert got["create_task"] >= 0.90
    fields = ("sentiment", "urgency", "negotiation", "create_task")
    assert min(got[f"{field}.{code}"] for field in fields for code in ("pt", "en", "es")) >= 0.85
