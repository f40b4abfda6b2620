"""What each provider needs to be connected: one model a provider, its secrets told from what may be shown."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel, SecretStr, field_validator, model_validator

from alfred.api.connection_fields import (
    Account,
    BaseUrl,
    Config,
    HeaderSecret,
    Number,
    ProviderConfig,
    Secret,
    Secrets,
    Version,
)
from alfred.api.mail_connection_config import Email
from alfred.terms import InboundProvider, Provider

GRAPH, INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"


class WhatsAppCloud(ProviderConfig):
    provider: Literal["whatsapp_cloud"]
    phone_number_id: Account = Field(examples=["109900000000001"])
    waba_id: Account | None = None
    api_version: Version = "v26.0"
    base_url: BaseUrl = GRAPH
    access_token: Secret | None = None
    app_secrets: Secrets | None = None

    secret_names = ("access_token", "app_secrets")
    needed = ("access_token",)
    sent_to = {"base_url": ("access_token",)}  # noqa: RUF012

    def account(self) -> str | None:
        return self.phone_number_id


class Messenger(ProviderConfig):
    provider: Literal["messenger"]
    page_id: Account
    api_version: Version = "v26.0"
    base_url: BaseUrl = GRAPH
    access_token: Secret | None = None
    app_secrets: Secrets | None = None

    channel_type = "messenger"
    secret_names, needed = WhatsAppCloud.secret_names, WhatsAppCloud.needed
    sent_to = WhatsAppCloud.sent_to

    def account(self) -> str | None:
        return self.page_id


class Instagram(ProviderConfig):
    provider: Literal["instagram"]
    account_id: Account
    login: Literal["instagram", "facebook"] = "instagram"
    page_id: Account | None = None
    api_version: Version = "v26.0"
    base_url: BaseUrl | None = Field(None, description="None: that of the login.")
    access_token: Secret | None = None
    app_secrets: Secrets | None = None

    channel_type = "instagram"
    secret_names, needed = WhatsAppCloud.secret_names, WhatsAppCloud.needed
    sent_to = WhatsAppCloud.sent_to

    @model_validator(mode="after")
    def _base_of_the_login(self) -> "Instagram":
        if self.base_url is None:
            self.base_url = GRAPH if self.login == "facebook" else INSTAGRAM
        return self

    def account(self) -> str | None:
        return self.account_id


class Evolution(ProviderConfig):
    provider: Literal["evolution"]
    base_url: BaseUrl
    instance: Account
    api_key: Secret | None = None
    header: HeaderSecret | None = None
    jwt_key: Secret | None = None

    secret_names = ("api_key", "header", "jwt_key")
    needed = ("api_key",)
    sent_to = {"base_url": ("api_key",)}  # noqa: RUF012

    def account(self) -> str | None:
        return self.instance


class Waha(ProviderConfig):
    provider: Literal["waha"]
    base_url: BaseUrl
    session: Account = "default"
    api_key: Secret | None = None
    hmac_keys: Secrets | None = None

    secret_names = ("api_key", "hmac_keys")
    needed = ("api_key",)
    sent_to = {"base_url": ("api_key",)}  # noqa: RUF012


class Zapi(ProviderConfig):
    provider: Literal["zapi"]
    base_url: BaseUrl = "https://api.z-api.io"
    instance_id: Account
    instance_token: Secret | None = None
    client_token: Secret | None = None
    header: HeaderSecret | None = None

    secret_names = ("instance_token", "client_token", "header")
    needed = ("instance_token",)
    sent_to = {"base_url": ("instance_token", "client_token")}  # noqa: RUF012

    def account(self) -> str | None:
        return self.instance_id


class Twilio(ProviderConfig):
    provider: Literal["twilio"]
    account_sid: Account
    from_: Number | None = Field(None, alias="from", examples=["+14155550100"])
    messaging_service_sid: Account | None = None
    base_url: BaseUrl = "https://api.twilio.com"
    auth_tokens: Secrets | None = None
    api_key_sid: Account | None = None
    api_key_secret: Secret | None = None

    secret_names = ("auth_tokens", "api_key_secret")
    sent_to = {"base_url": ("auth_tokens", "api_key_secret")}  # noqa: RUF012

    @field_validator("from_", mode="before")
    @classmethod
    def _bare_number(cls, given: Any) -> Any:
        return given.removeprefix("whatsapp:") if isinstance(given, str) else given

    def account(self) -> str | None:
        return self.from_ or self.messaging_service_sid


class NewConnection(RootModel[Any]):
    """The provider's values and secrets side by side, and `options`."""

    model_config = ConfigDict(defer_build=True)

    root: Annotated[
        WhatsAppCloud | Messenger | Instagram | Evolution | Waha | Zapi | Twilio | Email,
        Field(discriminator="provider"),
    ]


def shown(config: Config) -> dict[str, Any]:
    """What is no secret."""
    values = config.model_dump(mode="json", by_alias=True, exclude={*config.secret_names, "options"}, exclude_none=True)
    for name in ("smtp", "inbound"):
        if (part := getattr(config, name, None)) is not None:
            values[name] = shown(part)
    return values


def secrets(config: Config, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The secrets that were given, plain, by their dotted names; None is to be cleared."""
    for name in config.secret_names:
        if name in config.model_fields_set:
            yield prefix + name, _revealed(getattr(config, name))
    for name in ("smtp", "inbound"):
        if (part := getattr(config, name, None)) is not None:
            yield from secrets(part, f"{name}.")


def names_of_secrets(config: Config, prefix: str = "") -> list[str]:
    """Those that a connection of this kind can have."""
    parts = [(name, getattr(config, name, None)) for name in ("smtp", "inbound")]
    inner = [names_of_secrets(part, f"{name}.") for name, part in parts if part is not None]
    return [prefix + name for name in config.secret_names] + [name for names in inner for name in names]


def hook_provider(config: ProviderConfig) -> InboundProvider | Provider:
    """Whose posts its hook takes: for mail the inbound service."""
    return config.inbound.provider if isinstance(config, Email) else config.provider


def _revealed(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, list):
        return [_revealed(each) for each in value]
    if isinstance(value, Config):
        return {name: _revealed(getattr(value, name)) for name in type(value).model_fields}
    return value
