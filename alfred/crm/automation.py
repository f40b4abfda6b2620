"""What happens by itself: rules act on events, flows suggest."""

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from alfred.bus import Consumer
from alfred.crm import conversations
from alfred.crm.outbox import CannotCarry, Draft, PolicyRefuses, send
from alfred.crm.tasks import TaskDraft, add
from alfred.events import Event, EventType, record
from alfred.flows.definition import Definition, InvalidFlow, read
from alfred.flows.simulate import simulate_in_slices
from alfred.queries import Db, Row, sql
from alfred.rules.actions import Action, AddTag, CreateTask, SendReply, SetStatus, delay
from alfred.rules.conditions import Compiled, match, match_in_slices
from alfred.rules.keeping import Kept
from alfred.rules.pace import Pace
from alfred.rules.situation import Situation, situation_of

TRIGGERS: tuple[EventType, ...] = ("message.received", "conversation.created", "task.overdue", "lead.stalled")
# Rules may wake each other by way of tasks; this many times in a row, and no more.
MOST_DEPTH = 3
# One event's rules act for so long in a row; then other tenants have their turns.
ACT_SECONDS = 0.05
MOST_RULES_IN_TURN = 20
# Of a tenant with more rules than these, or larger ones, each event is looked at by itself.
MOST_RULES_IN_BATCH = 20
LARGEST_IN_BATCH = 4_096  # characters of all of them as stored
LONGEST_TOLD, MOST_STEPS_TOLD = 500, 100  # characters of a text, and nodes of a flow's way, in an event
MOST_KEPT = 2_097_152  # characters of rules, and as many of flows, that are not read anew for each event


async def with_matches(db: Db, events: Sequence[Event]) -> list[Event]:
    """Of a batch, the events that rules act on, and those of the same tenants after them: they may depend on it.

    Tenants with many rules, and what takes too long, are left for one by one as well.
    """
    rules: defaultdict[UUID, list[Row]] = defaultdict(list)
    users = list({event.user_id for event in events})
    for row in await sql.rules.of_users.all(db, users=users, most=MOST_RULES_IN_BATCH + 1):
        rules[row["user_id"]].append(row)
    asked = [event for event in events if any(rule["trigger"] == event.type for rule in rules[event.user_id])]
    rows = await _found_by(db, asked)
    busy = {user_id for user_id, its in rules.items() if _are_many(its)}
    left: list[Event] = []
    ends_at, pace = monotonic() + ACT_SECONDS, Pace()
    for event, row in zip(asked, rows, strict=True):
        await pace.rest()
        if event.user_id in busy or monotonic() > ends_at or _may_match(event, rules[event.user_id], row):
            busy.add(event.user_id)
            left.append(event)
    return left


def _are_many(rules: Sequence[Row]) -> bool:
    return len(rules) > MOST_RULES_IN_BATCH or sum(len(rule["compiled"]) for rule in rules) > LARGEST_IN_BATCH


def _may_match(event: Event, rules: Sequence[Row], row: Row) -> bool:
    """Whether one of the rules matches, or cannot be read."""
    try:
        situation = _situation_of(event, row)
        return situation is not None and any(
            match(_compiled(rule["compiled"]).when, situation) for rule in rules if rule["trigger"] == event.type
        )
    except ValueError:  # what cannot be read fails for this event alone
        return True


async def apply_rules(db: Db, event: Event) -> bool:
    """Do what the rules that wait for this event say, each once; True where some are left for the next turn."""
    subject = subject_of(event)
    about = {"user_id": event.user_id, "subject": subject}
    rules = await sql.rules.waiting_for.all(db, **about, trigger=event.type, most=MOST_RULES_IN_TURN)
    resumed = bool(rules) and rules[0]["pending"]
    due = rules if resumed else await _matching(db, event, rules)
    acted = 0
    ends_at = monotonic() + ACT_SECONDS
    while acted < len(due) and (acted == 0 or monotonic() < ends_at):
        await _fire(db, event, due[acted])
        acted += 1
    left = [rule["rule_id"] for rule in due[acted:]]
    if left or resumed:
        rule_ids = [rule["rule_id"] for rule in due]
        await sql.rules.leave_pending.run(db, **about, rule_ids=rule_ids, left=left)
    return bool(left) or (resumed and len(due) == MOST_RULES_IN_TURN)


async def _matching(db: Db, event: Event, rules: Sequence[Row]) -> list[Row]:
    """The rules that match for the first time; they are noted."""
    if not rules or event.payload.get("depth", 0) >= MOST_DEPTH:
        return []
    situation = await _situation(db, event)
    if situation is None:
        return []
    pace = Pace()
    matching = [rule for rule in rules if await match_in_slices(_compiled(rule["compiled"]).when, situation, pace)]
    if not matching:
        return []
    noted = await sql.rules.note_matches.all(
        db,
        user_id=event.user_id,
        rule_ids=[rule["rule_id"] for rule in matching],
        subject=subject_of(event),
        conversation_id=event.conversation_id,
    )
    first_time = {row["rule_id"] for row in noted}
    return [rule for rule in matching if rule["rule_id"] in first_time]


def _flow_of(text: str) -> Definition | None:
    """A later version may be stricter than the one that enabled it: then none."""
    try:
        return read(json.loads(text))
    except InvalidFlow:
        return None


# Rules and flows as stored: the same ones are read for event after event.
_compiled = Kept[Compiled](Compiled.model_validate_json, MOST_KEPT)
_flow = Kept[Definition | None](_flow_of, MOST_KEPT)


async def suggest(db: Db, event: Event) -> None:
    """Walk the enabled flows, and note what each would do; nothing is done."""
    flows = await sql.flows.enabled.all(db, user_id=event.user_id)
    if not flows:
        return
    situation = await _situation(db, event)
    if situation is None:
        return
    pace = Pace()
    for flow in flows:
        await pace.rest()
        definition = _flow(flow["definition"])
        if definition is None:
            continue
        found = await simulate_in_slices(definition, situation, pace)
        if found.actions:
            path = found.model_dump(mode="json", exclude={"actions"}) | {"actions": told(found.actions)}
            path["matched_nodes"] = path["matched_nodes"][-MOST_STEPS_TOLD:]
            payload = {"flow_id": str(flow["flow_id"]), "flow_name": flow["name"], **path}
            await record(db, event.user_id, "flow.matched", payload, **event.about())


def subject_of(event: Event) -> str:
    """What a rule acts on once: a message, a conversation, a lapse, a silence."""
    match event.type:
        case "task.overdue":
            return f"{event.type}:{event.task_id}:{event.payload['due_date']}"
        case "lead.stalled":
            return f"{event.type}:{event.conversation_id}:{event.payload['last_message_at']}"
        case _:
            return f"{event.type}:{event.message_id or event.conversation_id}"


def shown(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """Actions as the API writes them: what is not said is left out."""
    return [action.model_dump(mode="json", exclude_none=True) for action in actions]


def told(actions: Sequence[Action]) -> list[dict[str, Any]]:
    """The same for the log, where they stand once for each message: long texts are cut."""
    return [action | _cut(action.get("body", "")) for action in shown(actions)]


def _cut(body: str) -> dict[str, str]:
    return {"body": f"{body[: LONGEST_TOLD - 1]}…"} if len(body) > LONGEST_TOLD else {}


async def _found_by(db: Db, events: Sequence[Event]) -> list[Row]:
    """Of each event what conditions may ask."""
    return await sql.rules.situations_of.all(
        db,
        users=[event.user_id for event in events],
        conversations=[event.conversation_id for event in events],
        messages=[event.message_id for event in events],
        contacts=[event.contact_id for event in events],
    )


async def _situation(db: Db, event: Event) -> Situation | None:
    """What the event found; None where its tenant or its conversation was removed meanwhile."""
    (row,) = await _found_by(db, [event])
    return _situation_of(event, row)


def _situation_of(event: Event, row: Row) -> Situation | None:
    if row["timezone"] is None or (event.conversation_id is not None and row["conversation_id"] is None):
        return None
    lapse = event.type in {"task.overdue", "lead.stalled"}  # happens now, whenever the last message was sent
    return situation_of(dict(row), event.created_at if lapse else row["sent_at"] or event.created_at)


async def _fire(db: Db, event: Event, rule: Row) -> None:
    """Do what a rule says that was noted as matching."""
    compiled = _compiled(rule["compiled"])
    refusals = [await _do(db, event, rule["rule_id"], action) for action in compiled.then]
    payload: dict[str, Any] = {
        "rule_id": str(rule["rule_id"]),
        "title": rule["name"],
        "match_key": f"{rule['rule_id']}:{subject_of(event)}",
        "actions": [
            action | ({"refused": refused} if refused else {})
            for action, refused in zip(told(compiled.then), refusals, strict=True)
        ],
    }
    titles = [action.title for action in compiled.then if action.action == "notify" and action.title]
    if titles:
        payload["notify_title"] = titles[0]
    if "digest" in event.payload:  # one of many that a scan has found
        payload["digest"] = event.payload["digest"]
    await record(db, event.user_id, "rule.matched", payload, **event.about())


async def _do(db: Db, event: Event, rule_id: UUID, action: Action) -> str | None:
    """One action; one that needs a conversation is passed over where there is none. The code of what refused it."""
    if isinstance(action, CreateTask):
        await _create_task(db, event, action)
    elif event.conversation_id is None:
        return None
    elif isinstance(action, AddTag):
        await conversations.add_tag(db, event, action.tag.strip(), by_rule=rule_id)
    elif isinstance(action, SetStatus):
        await conversations.set_status(db, event, action.status, by_rule=rule_id)
    elif isinstance(action, SendReply):
        return await _reply(db, event, event.conversation_id, rule_id, action)
    return None


async def _reply(db: Db, event: Event, conversation_id: UUID, rule_id: UUID, action: SendReply) -> str | None:
    where = {"user_id": event.user_id, "conversation_id": conversation_id}
    await sql.conversations.hold.one(db, **where)  # of two replicas that ask at once, one replies
    if not await sql.rules.may_reply.value(db, **where, rule_id=rule_id, subject=subject_of(event)):
        return None
    try:
        await send(db, event.user_id, conversation_id, Draft(body=action.body), by_rule=True)
    except PolicyRefuses as refused:
        return refused.code
    except CannotCarry as refused:
        return refused.complaints[0].code
    if event.type == "lead.stalled":
        await sql.conversations.keep_silence.run(db, **where)
    return None


async def _create_task(db: Db, event: Event, action: CreateTask) -> None:
    wait = delay(action.due_in) if action.due_in else None
    draft = TaskDraft(
        title=action.title,
        priority=action.priority or "medium",
        due_at=_later(event.created_at, wait),
        conversation_id=event.conversation_id,
        contact_id=event.contact_id,
    )
    await add(db, event.user_id, draft, depth=event.payload.get("depth", 0) + 1)


def _later(moment: datetime, wait: timedelta | None) -> datetime | None:
    return None if wait is None else moment + wait


RULES = Consumer(name="rules", types=TRIGGERS, act=apply_rules, act_on_all=with_matches, users="users_with_rules")
FLOWS = Consumer(name="flows", types=("message.received",), act=suggest, users="users_with_flows", may_wait=True)
