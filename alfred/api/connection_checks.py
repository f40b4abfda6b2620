"""What speaks against a connection: its addresses, its missing secrets, and what its messenger says to a test."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from alfred.api.connection_config import Twilio, shown
from alfred.api.connection_fields import ProviderConfig
from alfred.api.mail_connection_config import Brevo, Email, Resend
from alfred.channels.whatsapp import phone
from alfred.crm.connections import Connection
from alfred.http.problems import Fault
from alfred.outbound_http import OutboundHttp
from alfred.outbound_smtp import SmtpRefused, SmtpSilent, smtp_session
from alfred.queries import Row
from alfred.senders.mail import SmtpAnswer, outcome
from alfred.senders.outcomes import of_silence
from alfred.senders.probes import Account
from alfred.senders.registry import sender_of

PROBE_SECONDS = 10.0
_REQUIRED = "This is required."
ADDRESS_FAULTS = {
    "invalid_url": "Give an address that begins with https:// and has neither user nor fragment.",
    "insecure_url": "Give an https address: http is taken for addresses in ALFRED_PRIVATE_TARGETS only.",
    "private_address": "This address is private: whoever runs Alfred can allow it in ALFRED_PRIVATE_TARGETS.",
}


async def address_faults(outbound: OutboundHttp, config: ProviderConfig) -> list[Fault]:
    """What speaks against the addresses that the user gives, as far as it can be seen now."""
    faults = []
    for pointer, url in _addresses(config):
        code = await outbound.address_problem(url)
        if code is None and pointer.endswith("base_url") and ("?" in url):
            code = "invalid_url"
        if code is not None:
            faults.append(Fault(pointer, ADDRESS_FAULTS[code], code))
    return faults


def _addresses(config: ProviderConfig) -> Iterator[tuple[str, str]]:
    if isinstance(config, Email):
        if config.smtp is not None:
            # Without encryption the password would cross the net in the clear, as with http.
            scheme = "http" if config.smtp.security == "none" else "https"
            host = f"[{config.smtp.host}]" if ":" in config.smtp.host.strip("[]") else config.smtp.host
            yield "/smtp/host", f"{scheme}://{host}:{config.smtp.port}"
        if isinstance(config.inbound, Resend | Brevo):
            yield "/inbound/base_url", config.inbound.base_url
    elif (url := getattr(config, "base_url", None)) is not None:
        yield "/base_url", url


def faults_of(config: ProviderConfig, channel: Row, stored: set[str], given: dict[str, Any]) -> list[Fault]:
    """What does not fit the channel, and which secrets have to come along."""
    if config.channel_type != channel["type"]:
        words = f"This provider is for {config.channel_type} channels."
        return [Fault("/provider", words, "provider_mismatch")]
    if channel["provider"] != config.provider:
        stored = set()
    after = {name for name in stored if given.get(name, "kept") is not None}
    after |= {name for name, value in given.items() if value is not None}
    missing = {name: _REQUIRED for name in config.needed if name not in after}
    if isinstance(config, Twilio):
        missing |= _missing_of_twilio(config, after)
    before = channel["config"] or {}
    for where, names in config.sent_to.items():
        if _target(shown(config), where) != _target(before, where):
            moved = {name for name in names if name in stored and name not in given}
            missing |= dict.fromkeys(moved, "The address has changed: send this secret again.")
    return [Fault("/" + name.replace(".", "/"), words, "missing") for name, words in missing.items()]


def can_send(provider: str, config: Mapping[str, Any], stored: Collection[str]) -> bool:
    """Whether it has what sending needs."""
    if provider == "email":
        return "smtp" in config
    if provider == "twilio":
        return "auth_tokens" in stored or "api_key_secret" in stored
    return True  # what the others need, PUT has asked for


def can_receive(provider: str, config: Mapping[str, Any], stored: Collection[str]) -> bool:
    """Whether its hook can tell a genuine post."""
    needed = {
        **dict.fromkeys(("whatsapp_cloud", "messenger", "instagram"), "app_secrets"),
        "twilio": "auth_tokens",
        "waha": "hmac_keys",
        "mailgun": "inbound.signing_keys",
        "resend": "inbound.signing_secrets",
    }.get(config["inbound"]["provider"] if provider == "email" else provider)
    return needed is None or needed in stored


async def probe(outbound: OutboundHttp, connection: Connection) -> Account:
    """Ask the messenger whose account this is; sends no message."""
    if connection.provider == "email":
        return await probe_smtp(outbound, connection.settings)
    sender = sender_of(connection.provider)
    return sender.account(await outbound.call(sender.probe(connection.settings)))


async def probe_smtp(outbound: OutboundHttp, settings: Mapping[str, Any]) -> Account:
    """Whether the mail server lets us in; a channel that only takes mail in has nothing to test."""
    smtp = settings.get("smtp")
    if smtp is None:
        return Account()
    try:
        async with smtp_session(outbound, smtp, PROBE_SECONDS):
            return Account(smtp["from_address"], smtp.get("from_name"))
    except SmtpSilent as silent:
        return Account(error=of_silence(silent.answer).error)
    except SmtpRefused as refused:
        return Account(error=outcome(SmtpAnswer(refused.status, refused.words, refused.step), "").error)


def account_of(provider: str, found: Account) -> str | None:
    """The account that a test has learned, as webhooks name it."""
    return phone(found.id) if provider == "waha" and found.error is None else None


def _missing_of_twilio(config: Twilio, stored: Collection[str]) -> dict[str, str]:
    missing = {}
    if config.account() is None:
        missing["from"] = "Give the number that sends, or a messaging_service_sid."
    if not {"auth_tokens", "api_key_secret"} & set(stored):
        missing["auth_tokens"] = "Give an auth token, or an API key and its secret."
    if "api_key_secret" in stored and config.api_key_sid is None:
        missing["api_key_sid"] = "An API key's secret needs its SID."
    if config.api_key_sid is not None and "api_key_secret" not in stored:
        missing["api_key_secret"] = _REQUIRED
    return missing


def _target(values: Mapping[str, Any], where: str) -> tuple[Any, ...] | None:
    """Scheme, host and port that secrets are sent to; None where there is no such address."""
    found: Any = values
    for step in where.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping):
        return (found.get("security"), str(found.get("host")).lower(), found.get("port"))
    if not isinstance(found, str):
        return None
    parts = urlsplit(found)
    return (parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme))
