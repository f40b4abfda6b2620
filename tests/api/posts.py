"""What other senders than WhatsApp's Cloud API post, as short as it may be."""

import itertools
import json

from tests.people import cloud

_numbers = itertools.count(1)

PAGE = "300000000000001"
CUSTOMER = "7000000000000012"


def flat(text, sender="+5511900000012", **more):
    """One message of the flat relay."""
    return {"message_id": f"flat{next(_numbers)}", "from": sender, "body": text, **more}


def page(*events, kind="page"):
    """Messenger's envelope around events."""
    return {"object": kind, "entry": [{"id": PAGE, "messaging": list(events)}]}


def event(sender=CUSTOMER, recipient=PAGE, at=1714564800000, **what):
    """One event of Messenger's or Instagram's."""
    return {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at, **what}


def messenger(text, sender=CUSTOMER, *, mid=None, at=1714564800000):
    """A Messenger message."""
    return page(event(sender, at=at, message={"mid": mid or f"m_{next(_numbers)}", "text": text}))


def happened(type, detail, sender="+5511900000012", *, id=None, at=1714564900):
    """WhatsApp's word of an edit, a deletion or a reaction."""
    message = {
        "from": sender.lstrip("+"),
        "id": id or f"wamid.happened{next(_numbers)}",
        "timestamp": str(at),
        "type": type,
        type: detail,
    }
    return cloud({"messages": [message]})


def edit(original, text, **more):
    inner = {"type": "text", "text": {"body": text}}
    return happened("edit", {"original_message_id": original, "message": inner}, **more)


def revoke(original, **more):
    return happened("revoke", {"original_message_id": original}, **more)


def reaction(original, emoji, **more):
    return happened("reaction", {"message_id": original, **({"emoji": emoji} if emoji else {})}, **more)


async def post_raw(person, channel, body, content_type, **more):
    """A webhook's bytes as they are; (status, decoded answer)."""
    headers = {"Content-Type": content_type} if content_type else {}
    status, _, raw = await person.call("POST", f"/webhooks/{channel}", data=body, headers=headers, **more)
    return status, json.loads(raw)


async def told(person, payload, channel="whatsapp"):
    """A webhook's post; its entries."""
    status, receipt = await person.post(f"/webhooks/{channel}", payload)
    assert status == 200, receipt
    return receipt["messages"]
