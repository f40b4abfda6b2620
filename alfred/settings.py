"""ALFRED_* becomes one frozen model; everything else receives values from it."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

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
from pydantic_core import ErrorDetails

from alfred.fault_sentences import OURS, sentence_of

PREFIX = "ALFRED_"
FROM_FILE = "_FILE"  # ALFRED_JWT_SECRET_FILE names a file that holds ALFRED_JWT_SECRET
MOST_OF_A_SECRET = 65_536  # bytes of such a file
# Read by bin/ and by the tests, rather than by the service.
_NOT_OURS = frozenset({"ALFRED_VENV", "ALFRED_TEST_BROWSER"})


class BadSetting(Exception):
    """A setting that is unknown or cannot be read; the text is for the operator."""


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _networks(value: object) -> object:
    parts = _split(value)
    try:
        return tuple(ip_network(part) for part in parts) if isinstance(parts, tuple) else parts
    except ValueError:
        raise ValueError("write networks such as 10.0.0.0/8 or 10.1.2.3/32, separated by commas") from None


Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)]
Secrets = Annotated[tuple[SecretStr, ...], BeforeValidator(_split)]
Seconds = Annotated[int, Field(ge=1, le=2_147_483_647)]
Days = Annotated[int, Field(ge=86_400, le=2_147_483_647)]
Bytes = Annotated[int, Field(ge=1024, le=1 << 50)]
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
    body_limit: Bytes = 1_048_576
    hook_body_limit: Bytes = 4_194_304
    mail_body_limit: Bytes = 41_943_040

    home: Path | None = None
    database_url: SecretStr | None = None
    owner_database_url: SecretStr | None = None
    auth_database_url: SecretStr | None = None
    bus_database_url: SecretStr | None = None
    listen_database_url: SecretStr | None = None
    pg_bin: Path | None = None
    pg_account: str | None = None
    account: str | None = None
    pool_size: int = Field(10, ge=2, le=100)

    jwt_secret: Secrets = ()
    secret_key: Secrets = ()
    access_token_ttl: Seconds = 900
    refresh_token_ttl: Seconds = 2_592_000
    session_max_age: Seconds = 7_776_000
    login_attempts: int = Field(10, ge=1, le=1_000_000)
    registration: Literal["open", "closed"] = "open"
    registration_limit: int = Field(60, ge=1, le=1_000_000)
    rate_limit: int = Field(60_000, ge=60, le=1_000_000_000)
    bcrypt_cost: int = Field(11, ge=4, le=16)

    private_targets: Networks = ()
    media_url: str | None = Field(None, pattern=r"^s3://[^\s]+$")
    media_limit: Bytes = 26_214_400
    media_quota: Bytes = 5_368_709_120
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
    metrics_token: SecretStr | None = None

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["console", "json"] | None = None

    @field_validator(
        "database_url", "owner_database_url", "auth_database_url", "bus_database_url", "listen_database_url"
    )
    @classmethod
    def _of_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        from psycopg import ProgrammingError  # the embedded server needs none of it here
        from psycopg.conninfo import conninfo_to_dict

        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must be the URL of a PostgreSQL database: postgresql://user:password@host/database")
        try:
            conninfo_to_dict(url.get_secret_value())
        except ProgrammingError:  # whose words may quote the password
            raise ValueError(
                "this URL cannot be read; write %40 for @, %2F for / and %25 for % in a password"
            ) from None
        return url

    @field_validator("jwt_secret", "secret_key")
    @classmethod
    def _long_enough(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(secret.get_secret_value().encode()) < 32 for secret in secrets):
            raise ValueError("each secret needs at least 32 bytes")
        return secrets

    @field_validator("metrics_token")
    @classmethod
    def _not_guessed(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < 16:
            raise ValueError("this needs at least 16 characters")
        return token

    @model_validator(mode="after")
    def _a_model_has_a_protocol(self) -> Self:
        if (self.ai_kind is None) != (self.ai_model is None):
            raise ValueError("ALFRED_AI_KIND and ALFRED_AI_MODEL are set together, or neither of them")
        if self.ai_kind is None and (self.ai_base_url or self.ai_api_key):
            raise ValueError("ALFRED_AI_BASE_URL and ALFRED_AI_API_KEY need ALFRED_AI_KIND and ALFRED_AI_MODEL")
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
        values = {name[len(PREFIX) :].lower(): value for name, value in given.items() if value}
        complaints = _read_files(values)
        try:
            settings = cls.model_validate(values)
        except ValidationError as error:
            complaints += _complaints(error)
        if complaints:
            raise BadSetting("\n".join(complaints))
        return settings


def secret_settings() -> list[str]:
    """The fields that hold secrets: each may be given as a file."""
    return [name for name, field in Settings.model_fields.items() if _is_secret(field.annotation)]


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def _read_files(values: dict[str, str]) -> list[str]:
    """Put what a `_FILE` names in its setting's place; what is wrong with the files."""
    complaints = []
    for name in secret_settings():
        path = values.pop(name + FROM_FILE.lower(), None)
        if path is None:
            continue
        setting = PREFIX + name.upper()
        if name in values:
            complaints.append(f"{setting} and {setting}{FROM_FILE} are both set: set one of them")
            continue
        try:
            values[name] = _secret_in(Path(path))
        except OSError as error:
            complaints.append(f"{setting}{FROM_FILE}: {path} cannot be read: {error.strerror}")
        except ValueError as error:
            complaints.append(f"{setting}{FROM_FILE}: {path} {error}")
    return complaints


def _secret_in(file: Path) -> str:
    with file.open("rb") as source:
        raw = source.read(MOST_OF_A_SECRET + 1)
    if len(raw) > MOST_OF_A_SECRET:
        raise ValueError("is too long for a secret")
    try:
        text = raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("is not text in UTF-8") from None
    if not text:
        raise ValueError("is empty")
    return text


def _complaints(error: ValidationError) -> list[str]:
    """One line for each variable: what it must be, without its value."""
    lines: dict[str, str] = {}
    for fault in error.errors(include_url=False, include_input=False):
        name = f"{PREFIX}{str(fault['loc'][0]).upper()}: " if fault["loc"] else ""
        lines.setdefault(name, name + _words(fault))
    return list(lines.values())


def _words(fault: ErrorDetails) -> str:
    if fault["type"] == "extra_forbidden":
        return "no such setting"
    if fault["type"] == "string_pattern_mismatch":
        return _SHAPES[str(fault["loc"][0])]
    if fault["type"] in OURS:
        return str(fault["ctx"]["error"])
    return sentence_of(fault)


_SHAPES = {
    "public_url": "This must be a URL such as https://crm.example.org.",
    "media_url": "This must be a bucket such as s3://bucket/prefix.",
    "ai_base_url": "This must be a URL such as https://models.example.org/v1, without user, ? and #.",
}
