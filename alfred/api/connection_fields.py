"""What the models of all connections share: the kinds of their fields, options, what is secret."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from alfred.http.models import Input
from alfred.terms import ChannelType, Provider


def _one_line(value: Any) -> Any:
    """A key that is pasted with its line end; inside, one could not be sent in a header."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str):
        return value
    text = text.strip("\r\n\t")
    if any(sign < " " or sign == "\x7f" for sign in text):
        raise ValueError("must be one line, without control characters")
    return text


Secret = Annotated[SecretStr, BeforeValidator(_one_line), Field(min_length=1, max_length=8192, examples=["a secret"])]
Secrets = Annotated[list[Secret], Field(min_length=1, max_length=2, description="Two while one is being replaced.")]
Account = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
BaseUrl = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)]
Version = Annotated[str, StringConstraints(pattern=r"^v\d{1,3}\.\d{1,2}$")]
Number = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+[1-9]\d{4,19}$")]
HeaderName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9-]{1,100}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\r\n]*$", max_length=256)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+$", max_length=256)]


class Config(Input):
    """A part of a connection; an empty text counts as left out, null clears a secret."""

    model_config = ConfigDict(populate_by_name=False)
    secret_names: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _without_empty_texts(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value != ""} if isinstance(given, Mapping) else given


class Basic(Config):
    username: Annotated[str, StringConstraints(pattern=r"^[^:]+$", max_length=256)] = Field(examples=["alfred"])
    password: Secret


class HeaderSecret(Config):
    name: HeaderName = Field(examples=["X-Alfred-Key"])
    value: Secret


class Options(Config):
    mark_read: bool = Field(False, description="Tell the customer that a message was read.")
    human_agent: bool = Field(False, description="Messenger, Instagram: a person may answer for seven days.")
    on_unknown: Literal["hold", "retry"] | None = Field(None, description="None: hold on chats, retry on e-mail.")
    split: bool = Field(True, description="Send a long text in parts.")
    hook_only: bool = Field(False, description="Refuse what comes for this channel by `POST /webhooks/*`.")
    rate_per_second: int | None = Field(None, ge=1, le=80)
    fetch_media: bool = Field(True, description="Fetch and keep inbound files.")


class ProviderConfig(Config):
    """What all providers share; `sent_to` names the secrets that go to an address of the user's."""

    channel_type: ClassVar[ChannelType] = "whatsapp"
    needed: ClassVar[tuple[str, ...]] = ()
    sent_to: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    provider: Provider
    options: Options = Field(default_factory=Options)

    def account(self) -> str | None:
        """The messenger's id of the account: the channel's `external_account_id`; None keeps what it has."""
        return None
