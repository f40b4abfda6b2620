"""Rules: sentences that act by themselves."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from aiohttp import web
from pydantic import Field, StringConstraints, model_validator
from uuid_utils.compat import uuid7

from alfred.api.assistant import MOST_READ_HERE
from alfred.api.situations import situation
from alfred.crm.automation import shown
from alfred.http.context import Caller, Services
from alfred.http.endpoint import Routes
from alfred.http.models import IfGiven, Input, Listing, Name, Output, Page
from alfred.http.pages import newest_first
from alfred.http.problems import Problem, not_found
from alfred.http.quotas import make_room, within_size
from alfred.queries import Db, sql
from alfred.rules.conditions import Compiled, Finding, verdict_on
from alfred.rules.sentence import compiler as rule_language
from alfred.rules.sentence.compiler import CompiledRule, NotUnderstood, explain_rule
from alfred.rules.sentence.vocabulary import read_vocabularies, vocabularies_are_read
from alfred.rules.situation import SituationInput
from alfred.terms import language_of

routes = Routes("Rules")

Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
EXAMPLE_SENTENCE = "Quando o cliente pedir desconto, me avise e crie uma tarefa para amanhã"
EXAMPLE_COMPILED = {
    "version": 1,
    "trigger": "message.received",
    "when": {"field": "message.urgency", "op": "eq", "value": "high"},
    "then": [{"action": "notify"}],
}


class NewRule(Input):
    name: Name | None = Field(None, description="Default: the beginning of the sentence.")
    text: Sentence | None = Field(None, examples=[EXAMPLE_SENTENCE])
    compiled: Compiled | None = Field(
        None, description="The compiled form, in place of `text`.", examples=[EXAMPLE_COMPILED]
    )
    enabled: bool = True

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.text is None) == (self.compiled is None):
            raise ValueError("give either text or compiled")
        return self


class RuleChange(Input):
    name: IfGiven[Name] = None
    text: Sentence | None = Field(None, examples=[EXAMPLE_SENTENCE])
    compiled: IfGiven[Compiled] = None
    enabled: IfGiven[bool] = None

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.text is not None and self.compiled is not None:
            raise ValueError("give either text or compiled")
        return self


class RuleText(Input):
    text: Sentence = Field(examples=[EXAMPLE_SENTENCE])


class Rule(Output):
    id: UUID
    name: str = Field(examples=["Desconto"])
    text: str | None = Field(examples=[EXAMPLE_SENTENCE])
    compiled: dict[str, Any] = Field(examples=[EXAMPLE_COMPILED])
    enabled: bool
    explanation: str = Field(examples=["Quando chegar uma mensagem urgente: avisar."])
    warnings: list[str]
    match_count: int
    last_matched_at: datetime | None
    created_at: datetime
    updated_at: datetime


class CompiledOut(Output):
    compiled: dict[str, Any] = Field(examples=[EXAMPLE_COMPILED])
    explanation: str
    warnings: list[str]


class Verdict(Output):
    matched: bool
    conditions: list[Finding]
    actions: list[dict[str, Any]] = Field(examples=[[{"action": "notify"}]])


@routes.on("GET", "/rules")
async def list_rules(db: Db, caller: Caller, request: web.Request, query: Listing) -> Page[Rule]:
    """List rules, newest first."""
    return (await newest_first(db, request, query, sql.rules.page, user_id=caller.user_id)).of(Rule.read)


@routes.on("POST", "/rules", status=201, errors=(409,))
async def create_rule(db: Db, caller: Caller, body: NewRule) -> Rule:
    """Create a rule from a sentence or a compiled form."""
    rule = await compiled_rule(db, caller, body.text, body.compiled)
    await make_room(db, caller.user_id, "rules")
    rule_id = uuid7()
    name = body.name or (body.text or rule["explanation"])[:60]
    async with within_size(db, caller.user_id, "rules"):
        await sql.rules.add.run(db, user_id=caller.user_id, rule_id=rule_id, name=name, enabled=body.enabled, **rule)
    return await get_rule(db, caller, rule_id)


@routes.on("POST", "/rules/compile")
async def compile_rule(db: Db, caller: Caller, body: RuleText) -> CompiledOut:
    """Compile a sentence without storing it.

    Nothing is stored.
    """
    return CompiledOut.model_validate(await compiled_rule(db, caller, body.text, None))


@routes.on("GET", "/rules/{rule_id}", errors=(404,))
async def get_rule(db: Db, caller: Caller, rule_id: UUID) -> Rule:
    """Get a rule."""
    row = await sql.rules.get.one(db, user_id=caller.user_id, rule_id=rule_id)
    if row is None:
        raise not_found("rule")
    return Rule.read(row)


@routes.on("PATCH", "/rules/{rule_id}", errors=(404, 409))
async def update_rule(db: Db, caller: Caller, rule_id: UUID, body: RuleChange) -> Rule:
    """Update a rule."""
    anew = dict.fromkeys(("text", "language", "compiled", "explanation", "warnings"))
    if body.text is not None or body.compiled is not None:
        anew = await compiled_rule(db, caller, body.text, body.compiled)
    about = {"user_id": caller.user_id, "rule_id": rule_id}
    given = {"name": body.name, "enabled": body.enabled, "set_text": bool({"text", "compiled"} & body.model_fields_set)}
    async with within_size(db, caller.user_id, "rules"):
        if not await sql.rules.update.run(db, **about, **given, **anew):
            raise not_found("rule")
    return await get_rule(db, caller, rule_id)


@routes.on("DELETE", "/rules/{rule_id}", status=204, errors=(404,))
async def delete_rule(db: Db, caller: Caller, rule_id: UUID) -> None:
    """Delete a rule."""
    if not await sql.rules.remove.run(db, user_id=caller.user_id, rule_id=rule_id):
        raise not_found("rule")


@routes.on("POST", "/rules/{rule_id}/test", errors=(404,))
async def test_rule(db: Db, caller: Caller, services: Services, rule_id: UUID, body: SituationInput) -> Verdict:
    """Test a rule on a situation.

    What the request leaves out is classified or takes its default. No action is carried out.
    """
    rule = Compiled.model_validate((await get_rule(db, caller, rule_id)).compiled)
    asked, _ = await situation(db, caller, services, body)
    if len(body.text) <= MOST_READ_HERE:
        matched, conditions = verdict_on(rule.when, asked)
    else:
        matched, conditions = await services.heavy.run(caller.user_id, verdict_on, rule.when, asked)
    return Verdict(matched=matched, conditions=conditions, actions=shown(rule.then) if matched else [])


async def compiled_rule(db: Db, caller: Caller, text: str | None, compiled: Compiled | None) -> dict[str, Any]:
    """What is stored of a rule, from its sentence or its compiled form."""
    if not vocabularies_are_read():
        await asyncio.to_thread(read_vocabularies)  # once in a process, and others are served meanwhile
    language = language_of(await sql.users.locale.value(db, user_id=caller.user_id)) or "en"
    if compiled is not None:
        said = explain_rule(compiled, language)
        rule = CompiledRule(compiled=compiled, explanation=said, language=language)
    else:
        try:
            rule = rule_language.compile(text or "", language=language)
        except NotUnderstood as error:
            raise _not_understood(error) from None
    return rule.kept() | {"text": text}


def _not_understood(error: NotUnderstood) -> Problem:
    extra = {
        "understood": list(error.understood),
        "not_understood": list(error.not_understood),
        "suggestion": error.suggestion,
        "example": error.example,
    }
    return Problem(422, "rule_not_understood", error.message, extra=extra)
