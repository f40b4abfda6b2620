"""Facts: what the seller lets replies claim, short texts and products with their prices."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints
from uuid_utils.compat import uuid7

from alfred.http.context import Caller
from alfred.http.endpoint import Routes
from alfred.http.models import Currency, IfGiven, Input, Listing, Money, Name, Output, Page, SearchText, Tag
from alfred.http.pages import newest_first
from alfred.http.problems import Fault, Problem, invalid, not_found
from alfred.queries import Db, sql
from alfred.quotas import QUOTAS
from alfred.terms import LONGEST_FACT, FactKind

routes = Routes("AI")

FactText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_FACT)]
Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
_OF_PRODUCTS = ("sku", "price", "floor", "currency")


class NewFact(Input):
    kind: FactKind = Field(examples=["product"])
    name: Name = Field(examples=["Cadeira Lisboa"])
    text: FactText | None = Field(
        None, description="What replies may say of it; a text needs one.", examples=["De madeira, em três cores."]
    )
    tags: list[Tag] = Field(
        [],
        max_length=20,
        description="`hours`, `address`, `delivery`, `returns` and `payment` fill the placeholders of replies.",
        examples=[["sala"]],
    )
    sku: Sku | None = None
    aliases: list[Name] = Field([], max_length=20, description="Other names that customers use.")
    price: Money | None = None
    floor: Money | None = Field(None, description="No suggested price is lower. No reply and no model is told.")
    currency: Currency | None = Field(None, description="Default: the user's.", examples=["BRL"])


class FactChange(Input):
    name: IfGiven[Name] = None
    text: FactText | None = None
    tags: list[Tag] | None = Field(None, max_length=20)
    sku: Sku | None = None
    aliases: list[Name] | None = Field(None, max_length=20)
    price: Money | None = None
    floor: Money | None = None
    currency: Currency | None = None


class FactFilter(Listing):
    kind: FactKind | None = None
    tag: Tag | None = None
    q: SearchText | None = Field(None, description="Text to look for in names, other names and article numbers.")


class Fact(Output):
    id: UUID
    kind: FactKind
    name: str
    text: str | None
    tags: list[str]
    sku: str | None
    aliases: list[str]
    price: Money | None
    floor: Money | None
    currency: str | None
    created_at: datetime
    updated_at: datetime


@routes.on("GET", "/facts")
async def list_facts(db: Db, caller: Caller, request: web.Request, query: FactFilter) -> Page[Fact]:
    """List facts, newest first."""
    filters: dict[str, Any] = {name: getattr(query, name) or None for name in ("kind", "tag", "q")}
    return (await newest_first(db, request, query, sql.facts.page, user_id=caller.user_id, **filters)).of(Fact.read)


@routes.on("POST", "/facts", status=201, errors=(409,))
async def create_fact(db: Db, caller: Caller, body: NewFact) -> Fact:
    """Create a fact that replies may claim."""
    fact_id, values = uuid7(), body.model_dump()
    _check(values)
    if not await sql.facts.add.run(db, user_id=caller.user_id, fact_id=fact_id, most=QUOTAS["facts"], **values):
        detail = f"There are {QUOTAS['facts']} facts already: delete some that no reply needs."
        raise Problem(409, "too_many_facts", detail)
    return Fact.read(await sql.facts.get.one(db, user_id=caller.user_id, fact_id=fact_id))


@routes.on("GET", "/facts/{fact_id}", errors=(404,))
async def get_fact(db: Db, caller: Caller, fact_id: UUID) -> Fact:
    """Get a fact."""
    row = await sql.facts.get.one(db, user_id=caller.user_id, fact_id=fact_id)
    if row is None:
        raise not_found("fact")
    return Fact.read(row)


@routes.on("PATCH", "/facts/{fact_id}", errors=(404,))
async def change_fact(db: Db, caller: Caller, fact_id: UUID, body: FactChange) -> Fact:
    """Change a fact."""
    known = (await get_fact(db, caller, fact_id)).model_dump(exclude={"id", "created_at", "updated_at"})
    lists = {"tags", "aliases"}
    values = known | {name: [] if value is None and name in lists else value for name, value in body.given().items()}
    _check(values)
    del values["kind"]
    await sql.facts.change.run(db, user_id=caller.user_id, fact_id=fact_id, **values)
    return await get_fact(db, caller, fact_id)


@routes.on("DELETE", "/facts/{fact_id}", status=204, errors=(404,))
async def delete_fact(db: Db, caller: Caller, fact_id: UUID) -> None:
    """Delete a fact."""
    if not await sql.facts.remove.run(db, user_id=caller.user_id, fact_id=fact_id):
        raise not_found("fact")


def _check(values: dict[str, Any]) -> None:
    """What does not go together."""
    faults = []
    price, floor = values["price"], values["floor"]
    if values["kind"] == "text":
        faults = [
            Fault(f"/{name}", "Only a product has this.", "not_allowed")
            for name in _OF_PRODUCTS
            if values[name] is not None
        ]
        if not values["text"]:
            faults.append(Fault("/text", "This is required.", "missing"))
    elif floor is not None and (price is None or Decimal(floor) > Decimal(price)):
        faults = [Fault("/floor", "The floor is at most the price.", "too_large")]
    if faults:
        raise invalid(faults)
