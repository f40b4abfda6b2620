"""What each provider needs to be connected: one model a provider, its secrets told from what may be shown."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, RootModel, SecretStr, StringConstraints, field_validator, model_validator

from alfred.http.models import Input
from alfred.terms import ChannelType, InboundProvider, Provider

MAIL_PORTS = frozenset({25, 465, 587, 2525})
GRAPH, INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"

Secret = Annotated[SecretStr, Field(min_length=1, max_length=8192, examples=["a secret"])]
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


class Smtp(Config):
    host: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9._:\[\]-]+$", max_length=253)]
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Line | None = None
    password: Secret | None = None
    from_address: Address
    from_name: Line | None = None
    reply_to: Address | None = None
    base_subject: Line | None = None

    secret_names = ("password",)

    @field_validator("port")
    @classmethod
    def _a_port_for_mail(cls, port: int) -> int:
        if port not in MAIL_PORTS and port < 1024:
            raise ValueError("must be 25, 465, 587, 2525 or at least 1024")
        return port


class Mailgun(Config):
    provider: Literal["mailgun"]
    signing_keys: Secrets | None = None
    secret_names = ("signing_keys",)


class SendGrid(Config):
    provider: Literal["sendgrid"]
    public_key: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] | None = None
    basic: Basic | None = None
    secret_names = ("basic",)


class Postmark(Config):
    provider: Literal["postmark"]
    basic: Basic | None = None
    secret_names = ("basic",)


class Brevo(Config):
    provider: Literal["brevo"]
    base_url: BaseUrl = "https://api.brevo.com/v3"
    basic: Basic | None = None
    bearer: Secret | None = None
    api_key: Secret | None = Field(None, description="By which the files of its mails are fetched.")
    secret_names = ("basic", "bearer", "api_key")


class Resend(Config):
    provider: Literal["resend"]
    base_url: BaseUrl = "https://api.resend.com"
    signing_secrets: Secrets | None = None
    api_key: Secret | None = None
    secret_names = ("signing_secrets", "api_key")


class Ses(Config):
    provider: Literal["ses"]
    topic_arns: list[
        Annotated[
            str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]+:[A-Za-z0-9_.-]+$", max_length=300)
        ]
    ] = Field(min_length=1, max_length=10, examples=[["arn:aws:sns:eu-west-1:123456789012:mail"]])


class RawMail(Config):
    provider: Literal["mail"] = "mail"
    basic: Basic | None = None
    bearer: Secret | None = None
    header: HeaderSecret | None = None
    secret_names = ("basic", "bearer", "header")


Inbound = Annotated[Mailgun | SendGrid | Postmark | Brevo | Resend | Ses | RawMail, Field(discriminator="provider")]


class Email(ProviderConfig):
    provider: Literal["email"]
    smtp: Smtp | None = None
    inbound: Inbound = Field(default_factory=RawMail, description="The service that posts inbound mail.")

    channel_type = "email"
    sent_to = {"smtp": ("smtp.password",), "inbound.base_url": ("inbound.api_key",)}  # noqa: RUF012

    def account(self) -> str | None:
        return self.smtp.from_address.lower() if self.smtp else None


class NewConnection(
    RootModel[
        Annotated[
            WhatsAppCloud | Messenger | Instagram | Evolution | Waha | Zapi | Twilio | Email,
            Field(discriminator="provider"),
        ]
    ]
):
    """The provider's values and secrets side by side, and `options`."""


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
