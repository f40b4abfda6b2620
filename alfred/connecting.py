"""`alfred connect`: asks for a channel's credentials, connects it, tests it, and says what to paste where."""

import getpass
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from alfred.api.connection_config import (
    Evolution,
    Instagram,
    Messenger,
    Twilio,
    Waha,
    WhatsAppCloud,
    Zapi,
)
from alfred.api.connection_fields import Config, ProviderConfig
from alfred.api.mail_connection_config import Email, Inbound, Smtp

ADDRESS = "http://127.0.0.1:8000"
PAGE = 200  # channels
PROVIDERS: dict[str, type[ProviderConfig]] = {
    "whatsapp_cloud": WhatsAppCloud,
    "messenger": Messenger,
    "instagram": Instagram,
    "evolution": Evolution,
    "waha": Waha,
    "zapi": Zapi,
    "twilio": Twilio,
    "email": Email,
}
# The services that post inbound mail, each asked for all that it takes.
_INBOUND: dict[str, type[Config]] = {
    get_args(model.model_fields["provider"].annotation)[0]: model for model in get_args(get_args(Inbound)[0])
}
_LISTS = frozenset({"app_secrets", "auth_tokens", "hmac_keys", "signing_keys", "signing_secrets", "topic_arns"})


class GivenUp(Exception):
    """The person stopped, or the service cannot be used; the text says why."""


@dataclass(frozen=True)
class Terminal:
    """How to talk to the person."""

    ask: Callable[[str], str] = input
    ask_secret: Callable[[str], str] = getpass.getpass
    say: Callable[[str], None] = print

    def value(self, name: str, default: str | None = None, *, secret: bool = False) -> str:
        """An answer; empty for the default, or for nothing."""
        shown = f"{name} [{default}]: " if default else f"{name}: "
        answer = (self.ask_secret if secret else self.ask)(shown).strip()
        return answer or default or ""

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of several, by its number or name."""
        for number, each in enumerate(choices, 1):
            self.say(f"  {number}  {each}")
        while True:
            answer = self.value(name)
            if answer in choices:
                return answer
            if answer.isascii() and answer.isdigit() and 0 < int(answer) <= len(choices):
                return choices[int(answer) - 1]
            self.say("Type one of the numbers.")


@dataclass
class Service:
    """A running Alfred; answers are (status, JSON)."""

    address: str
    token: str = ""

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """One request of its API."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        data = None if body is None else json.dumps(body).encode()
        url = f"{self.address.rstrip('/')}/api/v1{path}"
        if not url.startswith(("http://", "https://")):
            raise GivenUp("Alfred's address begins with http:// or https://.")
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 http(s), as looked at above
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 likewise # nosec B310
                return response.status, json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, _json(error.read())
        except OSError:
            raise GivenUp(f"Nothing answers at {self.address}: start it with bin/serve.") from None


def connect(terminal: Terminal, address: str = ADDRESS) -> None:
    """Walk through it.

    Raises:
        GivenUp.
    """
    service = Service(terminal.value("Alfred's address", address))
    _log_in(terminal, service)
    terminal.say("What do you connect? docs/channels/ has a page for each.")
    provider = terminal.choice("Number", list(PROVIDERS))
    channel = _channel(terminal, service, PROVIDERS[provider].channel_type)
    answer = _connected(terminal, service, channel, provider)
    _test(terminal, service, channel)
    _tell(terminal, answer["hook"])


def _log_in(terminal: Terminal, service: Service) -> None:
    while not service.token:
        email = terminal.value("Your e-mail (empty: you have a token)")
        if not email:
            service.token = terminal.value("Token with the scope admin", secret=True)
            status, answer = service.call("GET", "/me")
            if status != 200:
                raise GivenUp(_words(answer))
            return
        body = {"email": email, "password": terminal.value("Password", secret=True)}
        status, answer = service.call("POST", "/auth/login", body)
        if status == 200:
            service.token = answer["access_token"]
        else:
            terminal.say(_words(answer))


def _channel(terminal: Terminal, service: Service, kind: str) -> str:
    known = {f"{each['name']} ({each['id']})": each["id"] for each in _channels(service) if each["type"] == kind}
    if known:
        chosen = terminal.choice("Which channel", [*known, "a new one"])
        if chosen in known:
            return str(known[chosen])
    name = terminal.value("Name of the channel", "Loja")
    status, answer = service.call("POST", "/channels", {"type": kind, "name": name})
    if status != 201:
        raise GivenUp(_words(answer))
    return str(answer["id"])


def _channels(service: Service) -> Iterator[dict[str, Any]]:
    """All of them, page by page."""
    cursor = ""
    while cursor is not None:
        status, answer = service.call("GET", f"/channels?limit={PAGE}&cursor={cursor}")
        if status != 200:
            raise GivenUp(_words(answer))
        yield from answer["items"]
        cursor = answer["next_cursor"]


def _connected(terminal: Terminal, service: Service, channel: str, provider: str) -> Any:
    """Ask until the service takes it."""
    body = {"provider": provider, **_asked(terminal, provider)}
    while True:
        status, answer = service.call("PUT", f"/channels/{channel}/connection", body)
        if status == 200:
            return answer
        terminal.say(_words(answer))
        faults = [fault for fault in answer.get("errors") or [] if fault["pointer"]]
        if status != 422 or not faults:
            raise GivenUp("The channel is not connected.")
        for fault in faults:
            way = fault["pointer"].strip("/").split("/")
            name = next(step for step in reversed(way) if not step.isdigit())
            terminal.say(f"{name}: {fault['message']}")
            _put(body, [step for step in way if not step.isdigit()], _value(terminal, name, None))


def _asked(terminal: Terminal, provider: str) -> dict[str, Any]:
    if provider != "email":
        return dict(_fields(terminal, PROVIDERS[provider]))
    smtp = dict(_fields(terminal, Smtp))
    terminal.say("Which service posts inbound mail?")
    service = terminal.choice("Number", list(_INBOUND))
    return {"smtp": smtp, "inbound": {"provider": service, **dict(_fields(terminal, _INBOUND[service]))}}


def _fields(terminal: Terminal, model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Each field of a model; what is left empty is left out."""
    for name, field in model.model_fields.items():
        if name in {"provider", "options"}:
            continue
        value = _value(terminal, field.alias or name, field)
        if value not in ("", None):
            yield field.alias or name, value


def _value(terminal: Terminal, name: str, field: FieldInfo | None) -> Any:
    default = field.default if field is not None and isinstance(field.default, str | int) else None
    if name in {"header", "basic"}:
        parts = ("name", "value") if name == "header" else ("username", "password")
        first = terminal.value(f"{name}.{parts[0]} (empty: none)")
        return {parts[0]: first, parts[1]: terminal.value(f"{name}.{parts[1]}", secret=True)} if first else None
    secret = (field is None and name in _SECRETS) or (field is not None and _is_secret(field.annotation))
    answer = terminal.value(name, None if default is None else str(default), secret=secret)
    return [each.strip() for each in answer.split(",") if each.strip()] or None if name in _LISTS else answer


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(each) for each in get_args(annotation))


_ALL: tuple[type[Config], ...] = (*PROVIDERS.values(), Smtp, *_INBOUND.values())
_SECRETS = frozenset(name for model in _ALL for name in model.secret_names)


def _test(terminal: Terminal, service: Service, channel: str) -> None:
    _, answer = service.call("POST", f"/channels/{channel}/connection/test")
    if answer.get("ok"):
        account = answer["account"] or {}
        terminal.say(f"The credentials are good: {account.get('name') or account.get('id') or 'logged in'}.")
    else:
        terminal.say(f"The provider says no: {_words(answer.get('error') or answer)}")


def _tell(terminal: Terminal, hook: Any) -> None:
    terminal.say("Paste at the provider, and keep it to yourself:")
    terminal.say(f"  address       {hook['url']}")
    if hook["verify_token"]:
        terminal.say(f"  verify token  {hook['verify_token']}")
    if hook["fields"]:
        terminal.say(f"  subscribe to  {', '.join(hook['fields'])}")
    if hook["authentication"] == "key_only":
        terminal.say("Only the address proves a post: add a header or Basic where the provider can send one.")
    if hook["authentication"] == "not_configured":
        terminal.say("No secret is stored for posts yet, so all of them are refused: run this again with it.")
    if not str(hook["url"]).startswith("https://"):
        terminal.say("Messengers need a public https address: set ALFRED_PUBLIC_URL, and run this again.")
    terminal.say("Then write from another phone; GET /channels/{id} counts what comes in.")


def _words(answer: Any) -> str:
    return str(answer.get("detail") if isinstance(answer, dict) else answer)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return {"detail": "The answer is not Alfred's: is the address right?"}


def _put(values: dict[str, Any], way: list[str], value: Any) -> None:
    for step in way[:-1]:
        values = values.setdefault(step, {})
    values[way[-1]] = value
