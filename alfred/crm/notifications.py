"""What a seller is told of: events become notifications, each once."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alfred.consumers import Consumer, Done
from alfred.db import Database
from alfred.events import Event
from alfred.hub import READ_LIMIT, Hub
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
_WORDS = {"single": _TITLES, "digest": _DIGEST_TITLES}  # {name} and {count} are filled in where they are told


async def notify(db: Db, events: Sequence[Event]) -> Sequence[Event]:
    """Make the notifications that events call for, each once; what is about a conversation that somebody else holds
    is left: who records an event of it holds it until the end, so that they are in order.
    """
    left = await sql.notifications.notify.value(db, events=[_told(event) for event in events], titles=_WORDS)
    return [event for event in events if event.number in left]


async def notify_of(db: Db, event: Event) -> None:
    """The same for one event, as soon as nobody else holds its conversation."""
    if event.conversation_id is not None:
        await sql.conversations.hold.one(db, user_id=event.user_id, conversation_id=event.conversation_id)
    await notify(db, [event])


def _told(event: Event) -> dict[str, Any]:
    """What app.bus_notify reads of an event."""
    about = {name: entity and str(entity) for name, entity in event.about().items()}
    return about | {"number": event.number, "user_id": str(event.user_id), "type": event.type, "payload": event.payload}


def consumer(hub: Hub) -> Consumer:
    """Who makes notifications, and hands them out at once to the streams of this process."""

    async def tell(database: Database, buckets: Sequence[int], limit: int) -> Done:
        arrivals, shown = hub.arrivals, hub.shown(buckets)
        rows = await database.service_rows(
            sql.notifications.tell, consumer=CONSUMER.name, wants=CONSUMER.wants, buckets=buckets, limit=limit,
            titles=_WORDS, users=list(shown), numbers=list(shown.values()), most=READ_LIMIT,
        )  # fmt: skip
        hub.hand_out([row for row in rows if row["id"] is not None])
        if hub.arrivals != arrivals:
            hub.poke(buckets)  # for whoever came meanwhile
        return Done(rows[0]["buckets"], more=rows[0]["more"], backlog=rows[0]["backlog"])

    return replace(CONSUMER, act_at_once=tell)


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
    only={
        "message.classified": {"urgency": "high"},
        "message.reclassified": {"urgency": "high"},
        "message.status_changed": {"status": "failed"},
    },
)
