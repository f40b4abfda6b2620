"""Twilio's WhatsApp: forms instead of JSON, and codes that mostly come later by webhook."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from alfred.http_calls import Answer, HttpCall, NoAnswer, form_call
from alfred.senders import outcomes
from alfred.senders.addresses import digits
from alfred.senders.errors import ErrorCode
from alfred.senders.outcomes import Outcome, judged, text_in
from alfred.senders.parts import Abilities, Part, Template
from alfred.senders.probes import Account, probed

CAN = Abilities(text_limit=1_600, captions=frozenset({"image", "video", "document"}), templates=True, rate=80)

BASE = "https://api.twilio.com"
_CODES: dict[int, ErrorCode] = {
    20003: "auth_failed",
    **dict.fromkeys((20429, 63018, 63038), "rate_limited"),
    63016: "window_closed",
    **dict.fromkeys((21211, 21614, 63003, 63024), "recipient_unreachable"),
    **dict.fromkeys((21610, 63014), "recipient_opted_out"),
    **dict.fromkeys((21602, 21617, 63005, 63019, 63021), "content_rejected"),
    **dict.fromkeys((10001, 63020, 63032), "account_restricted"),
}
_UNTIL_MIDNIGHT = 63038


def request(part: Part, to: str, config: Mapping[str, Any], delivery_id: str) -> HttpCall:
    """The call of one part.

    Raises:
        Unsendable: the handle is no phone number.
    """
    fields = {"To": f"whatsapp:+{digits(to)}"}
    if config.get("messaging_service_sid") and not config.get("from"):
        fields["MessagingServiceSid"] = str(config["messaging_service_sid"])
    else:
        fields["From"] = f"whatsapp:{config.get('from', '')}"
    if part.template:
        fields |= _template(part.template)
    elif part.file:
        fields["MediaUrl"] = part.file.url
        if part.file.caption:
            fields["Body"] = part.file.caption
    else:
        fields["Body"] = part.text or ""
    if config.get("hook_url"):
        fields["StatusCallback"] = f"{config['hook_url']}?{urlencode({'d': delivery_id})}"
    return form_call(_url(config, "/Messages.json"), fields, _basic(config), seconds=CAN.seconds)


def outcome(answer: Answer | NoAnswer, _attempts: int = 1) -> Outcome:
    """What came of a send call."""
    return judged(answer, lambda body: text_in(body.get("sid")), judge)


def judge(status: int, body: dict[str, Any]) -> Outcome | None:
    """The outcome of an error body; None where it is none of theirs."""
    number = text_in(body.get("code"))
    if number is None and "message" not in body:
        return None
    return judge_code(number, status, body.get("message"))


def judge_code(number: str | None, status: int, words: object = None) -> Outcome:
    """By Twilio's own code, of an answer or of a status callback."""
    code = _CODES.get(int(number)) if number and number.isascii() and number.isdigit() else None
    if code == "rate_limited" and number == str(_UNTIL_MIDNIGHT):
        return outcomes.of(code, number, words, retry_after=_seconds_to_midnight(datetime.now(UTC)))
    if code is not None:
        return outcomes.of(code, number, words)
    if status == 429:
        return outcomes.of("rate_limited", number or status, words)
    if status == 401:
        return outcomes.of("auth_failed", number or status, words)
    if status >= 500:
        return outcomes.transient(number or status, words)
    return outcomes.refused(number or status, words)


def probe(config: Mapping[str, Any]) -> HttpCall:
    """The account's name."""
    return HttpCall("GET", _url(config, ".json"), _basic(config), seconds=10, own_host=True)


def account(answer: Answer | NoAnswer) -> Account:
    """Whose account answered the probe."""
    return probed(answer, lambda body: (text_in(body.get("sid")), text_in(body.get("friendly_name"))), judge)


def _template(template: Template) -> dict[str, str]:
    fields = {"ContentSid": template.name}
    values = template.variables
    if values:
        numbered = values if isinstance(values, dict) else {str(n): text for n, text in enumerate(values, 1)}
        fields["ContentVariables"] = json.dumps(numbered, ensure_ascii=False)
    return fields


def _seconds_to_midnight(now: datetime) -> float:
    """The account's daily limit ends then (UTC); longer than any header may ask for."""
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time.min, UTC)
    return (tomorrow - now).total_seconds()


def _url(config: Mapping[str, Any], rest: str) -> str:
    base = str(config.get("base_url") or BASE).rstrip("/")
    return f"{base}/2010-04-01/Accounts/{quote(str(config.get('account_sid', '')), safe='')}{rest}"


def _basic(config: Mapping[str, Any]) -> dict[str, str]:
    tokens = config.get("auth_tokens") or [""]
    if config.get("api_key_sid"):
        pair = f"{config['api_key_sid']}:{config.get('api_key_secret', '')}"
    else:
        pair = f"{config.get('account_sid', '')}:{tokens[0]}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
