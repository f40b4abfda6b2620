"""Items as they are taken in, and the people whom they make."""

from datetime import UTC, datetime

from alfred.channels.item import Identity

NUMBER, OTHER_NUMBER = "+5511900000012", "+5511900000013"
LID, OTHER_LID = "209911223344@lid", "209911223355@lid"
USER = "BR.AbC123"
AT = datetime(2026, 1, 6, 12, tzinfo=UTC)


def identity(value):
    kind = "number" if value.startswith("+") else "lid" if value.endswith("@lid") else "user_id"
    return Identity(kind=kind, value=value)


async def people(person):
    """Each contact's identities by value."""
    _, page = await person.get("/contacts")
    return sorted(sorted(each["value"] for each in contact["identities"]) for contact in page["items"])
