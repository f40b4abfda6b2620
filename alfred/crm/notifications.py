"""What a seller is told of: events become notifications, each once."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from alfred.bus import Consumer
from alfred.events import Event
from alfred.queries import Db, Row, sql
from alfred.terms import NotificationType

_TITLES = {
    "urgent_message": {
        "pt": "Mensagem urgente de {name}",
        "en": "Urgent message from {name}",
        "es": "Mensaje urgente de {name}",
    },
    "overdue_task": {"pt": "Tarefa atrasada: {name}", "en": "Task overdue: {name}", "es": "Tarea atrasada: {name}"},
    "stalled_lead": {
        "pt": "Sem resposta há dias: {name}",
        "en": "Gone quiet for days: {name}",
        "es": "Sin respuesta hace días: {name}",
    },
    "channel_error": {
        "pt": "O canal precisa de atenção: {name}",
        "en": "A channel needs attention: {name}",
        "es": "El canal necesita atención: {name}",
    },
    "delivery_failed": {
        "pt": "Mensagem não enviada a {name}",
        "en": "Message not sent to {name}",
        "es": "Mensaje no enviado a {name}",
    },
    "subscription.disabled": {
        "pt": "Os webhooks para {name} foram desligados",
        "en": "Webhooks to {name} were switched off",
        "es": "Se apagaron los webhooks a {name}",
    },
    "rule_match": {"pt": "Regra: {name}", "en": "Rule: {name}", "es": "Regla: {name}"},
}


_DIGEST_TITLES = {
    "overdue_task": {
        "pt": "{count} tarefas atrasadas",
        "en": "{count} tasks overdue",
        "es": "{count} tareas atrasadas",
    },
    "stalled_lead": {
        "pt": "{count} conversas sem resposta há dias",
        "en": "{count} conversations gone quiet for days",
        "es": "{count} conversaciones sin respuesta hace días",
    },
}
MOST_IDS = 20  # of a digest


async def notify(db: Db, events: Sequence[Event]) -> Sequence[Event]:
    """Make the notifications that a batch of events calls for, each once; what is about a conversation that somebody
    else holds is left for one by one: who records an event of it holds it until the end, so that they are in order.
    """
    subjects = await sql.notifications.subjects.all(
        db,
        users=[event.user_id for event in events],
        conversations=[event.conversation_id for event in events],
        messages=[event.message_id for event in events],
    )
    pairs = list(zip(events, subjects, strict=True))
    await _announce(db, [(event, subject) for event, subject in pairs if not subject["busy"]])
    return [event for event, subject in pairs if subject["busy"]]


async def notify_of(db: Db, event: Event) -> None:
    """The same for one event, as soon as nobody else holds its conversation."""
    if event.conversation_id is not None:
        await sql.conversations.hold.one(db, user_id=event.user_id, conversation_id=event.conversation_id)
    await notify(db, [event])


async def _announce(db: Db, pairs: Sequence[tuple[Event, Row]]) -> None:
    single = [_notification(event, subject) for event, subject in pairs if "digest" not in event.payload]
    if single:
        await sql.notifications.announce.run(db, notifications=single)
    if len(single) < len(pairs):
        digests = _digests((event, subject) for event, subject in pairs if "digest" in event.payload)
        await sql.notifications.announce_digests.run(db, notifications=digests)


def _notification(event: Event, subject: Row) -> dict[str, Any]:
    """A row for app.bus_announce."""
    kind, key = _kind_and_key(event)
    title, body = _words(kind, event.payload, subject)
    # A merge may have moved the conversation meanwhile.
    about = event.about() | {"contact_id": subject["contact_id"] or event.contact_id}
    return {
        "user_id": str(event.user_id),
        "type": kind,
        "dedupe_key": f"{kind}:{key}",
        "title": title[:200],
        "body": body,
        "rule_id": event.payload.get("rule_id"),
        **{name: str(entity) for name, entity in about.items() if entity is not None},
    }


def _digests(pairs: Iterable[tuple[Event, Row]]) -> list[dict[str, Any]]:
    """Rows for app.bus_announce_digests: what one scan has found of a kind, or a rule of it, is told once."""
    digests: dict[tuple[UUID, str], dict[str, Any]] = {}
    for event, subject in pairs:
        kind, _ = _kind_and_key(event)
        scan, rule_id = event.payload["digest"], event.payload.get("rule_id")
        key = f"{kind}:digest:{scan}" + (f":{rule_id}" if rule_id else "")
        digest = digests.setdefault(
            (event.user_id, key),
            {
                "user_id": str(event.user_id),
                "type": kind,
                "dedupe_key": key,
                "title": _digest_title(kind, event.payload, subject)[:200],
                "rule_id": rule_id,
                "digest": scan,
                "count": 0,
                "ids": [],
            },
        )
        digest["count"] += 1
        if len(digest["ids"]) < MOST_IDS:
            digest["ids"].append(str(event.task_id or event.conversation_id))
    return list(digests.values())


def _digest_title(kind: NotificationType, payload: dict[str, Any], subject: Row) -> str:
    """With `{count}` where the number belongs."""
    titles = _DIGEST_TITLES.get(kind)
    if titles is None:
        return _words(kind, payload, subject)[0]
    return titles.get((subject["locale"] or "en")[:2], titles["en"])


def _kind_and_key(event: Event) -> tuple[NotificationType, str]:
    """The kind of notification, and what makes it the same one."""
    match event.type:
        case "message.classified" | "message.reclassified":
            return "urgent_message", f"{event.message_id}"
        case "task.overdue":
            return "overdue_task", f"{event.task_id}:{event.payload['due_date']}"
        case "lead.stalled":
            return "stalled_lead", f"{event.conversation_id}:{event.payload['last_message_at']}"
        case "channel.error":
            return "channel_error", str(event.number)
        case "message.status_changed":
            return "delivery_failed", f"{event.message_id}"
        case "subscription.disabled":
            return "subscription.disabled", str(event.number)
        case _:
            return "rule_match", event.payload["match_key"]


def _words(type: NotificationType, payload: dict[str, Any], subject: Row) -> tuple[str, str]:
    """Title and body in the user's language."""
    language = (subject["locale"] or "en")[:2]
    titles = _TITLES[type]
    name = payload.get("title") if type in {"rule_match", "overdue_task"} else subject["contact_name"]
    if type == "channel_error":
        name = payload.get("channel") or payload.get("account") or payload.get("channel_type")
    elif type == "subscription.disabled":
        name = payload["host"]
    title = titles.get(language, titles["en"]).format(name=name or "?")
    if type == "rule_match" and payload.get("notify_title"):
        title = payload["notify_title"]
    return title, subject["snippet"] or payload.get("detail") or ""


CONSUMER = Consumer(
    name="notifications",
    types=(
        "message.classified",
        "message.reclassified",
        "task.overdue",
        "lead.stalled",
        "rule.matched",
        "channel.error",
        "message.status_changed",
        "subscription.disabled",
    ),
    act=notify_of,
    act_on_all=notify,
    only={
        "message.classified": {"urgency": "high"},
        "message.reclassified": {"urgency": "high"},
        "message.status_changed": {"status": "failed"},
    },
)
