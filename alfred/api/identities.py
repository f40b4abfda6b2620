"""How people are named on channels: one way to write an identity, the one that webhooks use."""

from typing import NamedTuple, Self

from pydantic import Field, model_validator

from alfred.channels.phones import variants
from alfred.channels.whatsapp import phone
from alfred.http.models import Handle, Input
from alfred.terms import LONGEST_HANDLE, ChannelType

SHORTEST_NUMBER = 8  # fewer digits may as well be an id of any messenger
_CHATS = ("@lid", "@s.whatsapp.net", "@c.us")


class Identity(Input):
    channel_type: ChannelType = Field(examples=["whatsapp"])
    value: Handle = Field(examples=["+5511900000012"])

    @model_validator(mode="after")
    def _written_in_the_one_way(self) -> Self:
        self.known()
        return self

    def known(self) -> "Known":
        """The same, written in the one way."""
        return Known.of(self.channel_type, self.value)


class Known(NamedTuple):
    """An identity as it is stored."""

    channel_type: ChannelType
    value: str

    @classmethod
    def of(cls, channel_type: ChannelType, value: str) -> "Known":
        """Written in the one way.

        Raises:
            ValueError: so written it is too long.
        """
        known = cls(channel_type, canonical(channel_type, value))
        if len(known.value) > LONGEST_HANDLE:
            raise ValueError(f"an identity has at most {LONGEST_HANDLE} characters, a + in front of a number included")
        return known

    def ways(self) -> list[str]:
        """As it is, then the other ways to write it."""
        return variants(self.value) if self.channel_type == "whatsapp" else [self.value]


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
