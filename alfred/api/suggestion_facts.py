"""The seller's facts that a customer's words are about, as suggestions take them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from alfred.ai.builtin.topics import TOPICS, topics_of
from alfred.ai.money import written
from alfred.crm.wording import Fact
from alfred.queries import Db, Row, sql

MOST_SAID = 1_000  # characters that are compared
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Product:
    """What one piece costs; no price under the floor is suggested, and nobody is told it."""

    fact_id: UUID
    price: Decimal
    floor: Decimal | None
    currency: str


@dataclass(frozen=True)
class Known:
    """`by_topic` fills placeholders; `all` is what a reply may claim, the likest first."""

    all: tuple[Fact, ...] = ()
    by_topic: tuple[tuple[str, str], ...] = ()
    product: Product | None = None


async def known_about(db: Db, user_id: UUID, texts: Sequence[str], currency: str) -> Known:
    """The facts that these texts are about."""
    said = "\n".join(texts)[-MOST_SAID:]
    if not said.strip():
        return Known()
    asked = topics_of(texts)
    tags = list(asked | set(_WORD.findall(said.lower())))
    rows = await sql.facts.relevant.all(db, user_id=user_id, said=said, tags=tags)
    topics: dict[str, str] = {}
    for row in rows:
        for tag in (TOPICS.keys() & set(row["tags"])) if row["text"] else ():
            topics.setdefault(tag, row["text"])
    best = next((topics[topic] for topic in sorted(asked) if topic in topics), None)
    best = best or next((row["text"] for row in rows if row["kind"] == "text" and row["likeness"] >= 0.6), None)
    if best:
        topics["answer"] = best
    return Known(tuple(_fact(row, currency) for row in rows), tuple(topics.items()), _product(rows, currency))


def _fact(row: Row, currency: str) -> Fact:
    if row["kind"] == "text":
        return Fact(row["fact_id"], row["text"], row["text"])
    price = written(row["price"], row["currency"] or currency) if row["price"] is not None else None
    parts = (row["name"] + (f": {price}" if price else ""), row["text"])
    return Fact(row["fact_id"], ". ".join(part for part in parts if part), price or row["name"])


def _product(rows: Sequence[Row], currency: str) -> Product | None:
    """The one product that was named; of several, none is meant."""
    named = [row for row in rows if row["kind"] == "product" and row["price"] is not None and row["likeness"] >= 0.6]
    sure = [row for row in named if row["likeness"] >= named[0]["likeness"] - 0.05]
    if len(sure) != 1:
        return None
    return Product(sure[0]["fact_id"], sure[0]["price"], sure[0]["floor"], sure[0]["currency"] or currency)
