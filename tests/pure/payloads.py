"""Payloads of chats in the shortest form that each provider posts, and what is read of them."""

from typing import Any

from alfred.channels import normalise
from alfred.channels.item import InboundItem


def read(payload: Any, channel: Any = "whatsapp") -> list[InboundItem]:
    reading = normalise(payload, channel)
    assert reading.recognised
    return list(reading.items)


def one(payload: Any, channel: Any = "whatsapp") -> InboundItem:
    (item,) = read(payload, channel)
    return item


def kinds(payload: Any) -> list[str]:
    return [item.kind for item in read(payload)]


def files(item: InboundItem) -> list[tuple[Any, ...]]:
    return [(file.type, file.mime, file.id_or_url, file.caption) for file in item.attachments]


NOTHING = ("unsupported", None, None, None)


def cloud(*messages: Any, **value: Any) -> dict[str, Any]:
    inside = {"metadata": {"phone_number_id": "109"}, "messages": list(messages), **value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"changes": [{"field": "messages", "value": inside}]}],
    }


def says(type: Any, **rest: Any) -> dict[str, Any]:
    return {"from": "5511900000012", "id": "wamid.1", "timestamp": "1714564800", "type": type, **rest}


def evolution(data: Any, event: str = "messages.upsert") -> dict[str, Any]:
    return {"event": event, "instance": "loja", "apikey": "secret", "data": data}


def jid(chat: Any = "5511900000012:7@s.whatsapp.net", own: Any = False, **rest: Any) -> dict[str, Any]:
    return {"remoteJid": chat, "fromMe": own, "id": "E1", **rest}


def zapi(**rest: Any) -> dict[str, Any]:
    base = {"type": "ReceivedCallback", "messageId": "Z1", "phone": "55", "momment": 1714564800000}
    return {**base, "instanceId": "I", "senderName": "Marina", **rest}


def waha(event: str, **payload: Any) -> dict[str, Any]:
    inside = {"id": "false_55@c.us_W1", "from": "55@c.us", "timestamp": 1714564800.7, **payload}
    me = {"id": "11@c.us"}
    return {"event": event, "timestamp": 1714564801000, "session": "s", "me": me, "payload": inside}


def twilio(**rest: Any) -> dict[str, Any]:
    return {"MessageSid": "SM1", "From": "whatsapp:+55", "To": "whatsapp:+11", **rest}


def meta(*events: Any, object: str = "page", key: str = "messaging") -> dict[str, Any]:
    return {"object": object, "entry": [{"id": "9", key: list(events)}]}


def event(**rest: Any) -> dict[str, Any]:
    return {"sender": {"id": 7}, "recipient": {"id": "9"}, "timestamp": 1714564800000, **rest}
