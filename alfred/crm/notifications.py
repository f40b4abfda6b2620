"""What a seller is told of: events become notifications, each once."""

from typing import Any
from uuid import UUID

from alfred.bus import Consumer
from alfred.events import Event, record
from alfred.queries import Db, sql

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
    "rule_match": {"pt": "Regra: {name}", "en": "Rule: {name}", "es": "Regla: {name}"},
}


async def notify(db: Db, event: Event) -> None:
    """Make the notification that an event calls for."""
    match event.type:
        case "message.classified":
            await announce(db, event, "urgent_message", f"urgent_message:{event.message_id}")
        case "task.overdue":
            await announce(db, event, "overdue_task", f"overdue_task:{event.task_id}:{event.payload['due_date']}")
        case "lead.stalled":
            key = f"stalled_lead:{event.conversation_id}:{event.payload['last_message_at']}"
            await announce(db, event, "stalled_lead", key)
        case "rule.matched":
            await announce(db, event, "rule_match", f"rule_match:{event.payload['match_key']}")


async def announce(db: Db, event: Event, type: str, dedupe_key: str) -> None:
    """Write the notification and its event; the second time nothing happens."""
    subject = await sql.notifications.subject.one(
        db, user_id=event.user_id, conversation_id=event.conversation_id, message_id=event.message_id
    )
    title, body = _words(type, event.payload, dict(subject) if subject else {})
    rule_id = event.payload.get("rule_id")
    # A merge may have moved the conversation meanwhile.
    contact_id = (subject["contact_id"] if subject else None) or event.contact_id
    made = await sql.notifications.announce.value(
        db,
        user_id=event.user_id,
        type=type,
        dedupe_key=dedupe_key,
        title=title[:200],
        body=body,
        contact_id=contact_id,
        conversation_id=event.conversation_id,
        message_id=event.message_id,
        task_id=event.task_id,
        rule_id=UUID(rule_id) if rule_id else None,
    )
    if made is not None:
        await record(
            db,
            event.user_id,
            "notification.created",
            {"notification_id": str(made), "type": type},
            contact_id=contact_id,
            conversation_id=event.conversation_id,
            message_id=event.message_id,
            task_id=event.task_id,
        )


def _words(type: str, payload: dict[str, Any], subject: dict[str, Any]) -> tuple[str, str]:
    """Title and body in the user's language."""
    language = (subject.get("locale") or "en")[:2]
    titles = _TITLES[type]
    name = payload.get("title") if type in {"rule_match", "overdue_task"} else subject.get("contact_name")
    title = titles.get(language, titles["en"]).format(name=name or "?")
    if type == "rule_match" and payload.get("notify_title"):
        title = payload["notify_title"]
    return title, subject.get("snippet") or ""


CONSUMER = Consumer(
    name="notifications",
    types=("message.classified", "task.overdue", "lead.stalled", "rule.matched"),
    act=notify,
    only={"message.classified": {"urgency": "high"}},
)
