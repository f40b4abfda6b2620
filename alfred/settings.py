"""ALFRED_* becomes one frozen model; everything else receives values from it."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

PREFIX = "ALFRED_"
# Read by bin/ and by the tests, rather than by the service.
_NOT_OURS = frozenset({"ALFRED_VENV", "ALFRED_TEST_BROWSER"})


class BadSetting(Exception):
    """A setting that is unknown or cannot be read; the text is for the operator."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_split)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_split)]
Seconds = Annotated[int, Field(ge=1)]
Days = Annotated[int, Field(ge=86_400)]
Pauses = Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1), BeforeValidator(_split)]


class Settings(BaseModel):
    """One field for each ALFRED_ variable; durations are seconds, sizes bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    public_url: str | None = Field(None, pattern=r"^https?://[^\s]+$")
    trusted_proxies: Networks = ()
    cors_origins: Words = ()
    request_deadline: Seconds = 30
    body_limit: int = Field(1_048_576, ge=1024)
    hook_body_limit: int = Field(4_194_304, ge=1024)
    mail_body_limit: int = Field(41_943_040, ge=1024)

    home: Path | None = None
    database_url: SecretStr | None = None
    owner_database_url: SecretStr | None = None
    auth_database_url: SecretStr | None = None
    bus_database_url: SecretStr | None = None
    listen_database_url: SecretStr | None = None
    pg_bin: Path | None = None
    pg_account: str | None = None
    pool_size: int = Field(10, ge=2, le=100)

    jwt_secret: Secrets = ()
    secret_key: Secrets = ()
    access_token_ttl: Seconds = 900
    refresh_token_ttl: Seconds = 2_592_000
    session_max_age: Seconds = 7_776_000
    login_attempts: int = Field(10, ge=1)
    registration: Literal["open", "closed"] = "open"
    registration_limit: int = Field(60, ge=1)
    rate_limit: int = Field(60_000, ge=60)
    bcrypt_cost: int = Field(11, ge=4, le=16)

    private_targets: Networks = ()
    media_url: str | None = Field(None, pattern=r"^s3://[^\s]+$")
    media_limit: int = Field(26_214_400, ge=1024)
    media_quota: int = Field(5_368_709_120, ge=1024)
    delivery_timeout: float | None = Field(None, gt=0, le=600)
    webhook_backoff: Pauses = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    webhook_disable_after: Seconds = 432_000
    webhook_keep: Seconds = 2_592_000

    overdue_scan_interval: Seconds = 3600
    stalled_scan_interval: Seconds = 86_400
    stalled_after: Seconds = 259_200
    delivery_max_age: Seconds = 86_400
    delivery_calls: int = Field(16, ge=1, le=256)
    delivery_backoff: Pauses = (5, 30, 120, 600, 1800, 3600, 7200)
    keep_deliveries: Seconds = 2_592_000
    retention_interval: Seconds = 3600
    keep_payloads: Days = 2_592_000
    keep_events: Days = 7_776_000
    keep_notifications: Days = 7_776_000
    keep_matches: Days = 7_776_000
    keep_suggestions: Days = 31_536_000
    keep_merges: Days = 31_536_000
    opt_out_words: Words = ("SAIR", "PARAR", "STOP", "BAJA")
    ai_provider: str = "mock"
    ai_kind: Literal["openai", "anthropic"] | None = None
    ai_base_url: str | None = Field(None, pattern=r"^https?://[^\s@#?]+$")
    ai_model: str | None = None
    ai_api_key: SecretStr | None = None
    ai_timeout: float = Field(8, gt=0, le=25)

    metrics_port: int | None = Field(None, ge=1, le=65535)
    metrics_token: SecretStr | None = Field(None, min_length=16)

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] | None = None

    @field_validator(
        "database_url", "owner_database_url", "auth_database_url", "bus_database_url", "listen_database_url"
    )
    @classmethod
    def _of_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must be the URL of a PostgreSQL database: postgresql://user:password@host/database")
        return url

    @field_validator("jwt_secret", "secret_key")
    @classmethod
    def _long_enough(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(secret.get_secret_value().encode()) < 32 for secret in secrets):
            raise ValueError("each secret needs at least 32 bytes")
        return secrets

    @model_validator(mode="after")
    def _a_model_has_a_protocol(self) -> Self:
        if (self.ai_kind is None) != (self.ai_model is None):
            raise ValueError("ALFRED_AI_KIND and ALFRED_AI_MODEL are set together, or neither of them")
        return self

    @model_validator(mode="after")
    def _logins_are_separate_or_one(self) -> Self:
        if (self.auth_database_url is None) != (self.bus_database_url is None):
            raise ValueError("ALFRED_AUTH_DATABASE_URL and ALFRED_BUS_DATABASE_URL are set together, or neither")
        return self

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment; an empty value is the default.

        Raises:
            BadSetting: naming each variable that is unknown or cannot be read.
        """
        given = {name: value for name, value in environ.items() if name.startswith(PREFIX) and name not in _NOT_OURS}
        try:
            return cls.model_validate({name[len(PREFIX) :].lower(): value for name, value in given.items() if value})
        except ValidationError as error:
            raise BadSetting("\n".join(_complaints(error))) from None


def _complaints(error: ValidationError) -> list[str]:
    complaints = []
    for fault in error.errors(include_url=False, include_input=False):
        name = PREFIX + str(fault["loc"][0]).upper() if fault["loc"] else "ALFRED_*"
        unknown = fault["type"] == "extra_forbidden"
        complaints.append(f"{name}: " + ("no such setting" if unknown else fault["msg"].removeprefix("Value error, ")))
    return complaints
