"""How people are named on channels: one way to write an identity, the one that webhooks use."""

from pydantic import Field

from alfred.channels.whatsapp import phone
from alfred.http.models import Handle, Input
from alfred.terms import ChannelType

SHORTEST_NUMBER = 8  # fewer digits may as well be an id of any messenger
_CHATS = ("@lid", "@s.whatsapp.net", "@c.us")


class Identity(Input):
    channel_type: ChannelType = Field(examples=["whatsapp"])
    value: Handle = Field(examples=["+5511900000012"])


def clean(identity: Identity) -> Identity:
    """The same, written in the one way."""
    value = canonical(identity.channel_type, identity.value)
    return Identity(channel_type=identity.channel_type, value=value)


def canonical(channel_type: str, value: str) -> str:
    """The way in which a sender's webhook names the same person, so that both find each other."""
    if channel_type == "email":
        return value.strip().lower()
    return (phone(value) if channel_type == "whatsapp" else None) or value.strip()


def type_of(handle: str) -> ChannelType | None:
    """The channel that a handle tells by its looks."""
    if handle.endswith(_CHATS):
        return "whatsapp"
    if "@" in handle.strip("@"):
        return "email"
    digits = (phone(handle) or "").removeprefix("+")
    return "whatsapp" if len(digits) >= SHORTEST_NUMBER and digits.isdigit() else None
