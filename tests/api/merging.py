"""Contacts that are merged and parted again."""

WITH, WITHOUT = "+5511987654321", "+551187654321"


def identity(value, channel_type="whatsapp"):
    return {"channel_type": channel_type, "value": value}


async def contact(person, contact_id):
    status, found = await person.get(f"/contacts/{contact_id}")
    assert status == 200, found
    return found


async def marina(person, number="+5511900000012", **more):
    """Somebody who writes on WhatsApp: her contact and her conversation."""
    heard = await person.hears("Oi, quanto custa?", number, **more)
    return heard["contact_id"], heard["conversation_id"]


async def writes_mail(person, address="marina@example.com", name="Marina Q."):
    letter = {
        "from": f"{name} <{address}>",
        "to": "shop@example.com",
        "body": "Recebeu?",
        "message_id": f"<1{address}>",
    }
    status, receipt = await person.post("/webhooks/email", letter)
    assert status == 200, receipt
    return receipt["messages"][0]["contact_id"], receipt["messages"][0]["conversation_id"]


async def merged(person, kept, other):
    status, answer = await person.post(f"/contacts/{kept}/merge", {"contact_id": other})
    assert status == 200, answer
    return answer


async def unmerged(person, kept):
    status, answer = await person.post(f"/contacts/{kept}/unmerge")
    assert status == 200, answer
    return answer


async def owners(person):
    """Which conversation is whose."""
    return {each["id"]: each["contact"]["id"] for each in await person.conversations()}
