"""What e-mail needs to be connected: the server that sends, and the service that posts what comes in."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from alfred.api.connection_fields import (
    Address,
    BaseUrl,
    Basic,
    Config,
    HeaderSecret,
    Line,
    ProviderConfig,
    Secret,
    Secrets,
)

MAIL_PORTS = frozenset({25, 465, 587, 2525})


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
