"""What every provider's answers mean: accepted, refused, later, never, or nobody knows."""

import json
from datetime import UTC, datetime

import pytest

from alfred.http_calls import Answer, NoAnswer
from alfred.senders import mail, sender_of
from alfred.senders.errors import clean_words
from alfred.senders.mail import SmtpAnswer
from alfred.senders.outcomes import retry_after
from alfred.senders.registry import SENDERS, receipt_outcome
from alfred.senders.statuses import failure_of

OK = {
    "whatsapp_cloud": (200, {"contacts": [{"input": "1", "wa_id": "5511"}], "messages": [{"id": "wamid.A"}]}),
    "messenger": (200, {"recipient_id": "1", "message_id": "m_A"}),
    "instagram": (200, {"recipient_id": "1", "message_id": "m_A"}),
    "evolution": (
        201,
        {"key": {"remoteJid": "5511@s.whatsapp.net", "fromMe": True, "id": "3EB0A"}, "status": "PENDING"},
    ),
    "waha": (201, {"id": "true_5511900000012@c.us_3EB0A"}),
    "zapi": (200, {"zaapId": "z", "messageId": "3EB0A", "id": "3EB0A"}),
    "twilio": (201, {"sid": "SMA", "status": "queued"}),
}
IDS = {"whatsapp_cloud": "wamid.A", "messenger": "m_A", "instagram": "m_A", "twilio": "SMA"}


def answered(provider, status, body, attempts=1, headers=None):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return sender_of(provider).outcome(Answer(status, headers or {}, raw), attempts)


def graph(code, subcode=None, message="no", **more):
    return {"error": {"code": code, "error_subcode": subcode, "message": message, **more}}


@pytest.mark.parametrize("provider", SENDERS)
def test_accepted_with_its_id(provider):
    outcome = answered(provider, *OK[provider])
    assert (outcome.kind, outcome.external_id) == ("ok", IDS.get(provider, "3EB0A"))


@pytest.mark.parametrize("provider", SENDERS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b"[]"),
        (200, b"<html>all is well</html>"),
        (200, b'{"messages": [{}], "key": {}, "id": "", "message_id": null, "messageId": {}, "sid": []}'),
        (500, b""),
        (502, b"<html>Bad Gateway</html>"),
        (503, b"upstream connect error"),
        (504, b"<html>"),
        (400, b"<html>Bad Request</html>"),
        (403, b"<html>blocked</html>"),
        (400, b'{"error": {"code": 1'),
    ],
)
def test_what_is_no_word_of_the_provider_is_unknown(provider, status, body):
    outcome = answered(provider, status, body)
    assert (outcome.kind, outcome.error.code, outcome.error.remedy) == (
        "unknown_outcome", "outcome_unknown", "check_then_retry",
    )  # fmt: skip


@pytest.mark.parametrize("provider", SENDERS)
def test_a_success_that_was_cut_is_unknown(provider):
    status, body = OK[provider]
    whole = json.dumps(body).encode()
    assert answered(provider, status, whole[:-3]).kind == "unknown_outcome"
    assert sender_of(provider).outcome(Answer(status, {}, whole, cut=True), 1).kind == "unknown_outcome"


@pytest.mark.parametrize("provider", SENDERS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nothing_is_followed(provider, status):
    outcome = answered(provider, status, b"", headers={"location": "https://elsewhere.example"})
    assert (outcome.kind, outcome.error.code, outcome.error.retryable) == ("permanent", "provider_error", False)


@pytest.mark.parametrize("provider", SENDERS)
@pytest.mark.parametrize(
    ("silence", "kind", "code"),
    [
        (NoAnswer("before", "refused"), "transient", "network_error"),
        (NoAnswer("before", "timeout"), "transient", "network_error"),
        (NoAnswer("before", "private_address"), "permanent", "private_address"),
        (NoAnswer("after", "timeout"), "unknown_outcome", "outcome_unknown"),
        (NoAnswer("after", "broken"), "unknown_outcome", "outcome_unknown"),
    ],
)
def test_the_first_byte_parts_later_from_unknown(provider, silence, kind, code):
    outcome = sender_of(provider).outcome(silence, 1)
    assert (outcome.kind, outcome.error.code) == (kind, code)


@pytest.mark.parametrize("provider", SENDERS)
def test_too_many_requests_wait_as_long_as_asked(provider):
    for body in (b"", b"<html>", b"{}"):
        outcome = answered(provider, 429, body, headers={"retry-after": "7"})
        assert (outcome.kind, outcome.limit, outcome.retry_after) == ("rate_limited", "channel", 7)


@pytest.mark.parametrize("provider", SENDERS)
def test_a_refused_token_holds_the_channel(provider):
    outcome = answered(provider, 401, {"message": "Unauthorized", "error": "Unauthorized"})
    assert (outcome.kind, outcome.error.code, outcome.error.remedy) == ("auth", "auth_failed", "reconnect_channel")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (404, {"status": 404, "error": "Not Found", "response": {"message": ["no instance"]}},
         "permanent", "account_restricted"),
        (400, {"status": 400, "response": {"message": [{"jid": "x", "exists": False, "number": "55"}]}},
         "permanent", "recipient_unreachable"),
        (400, {"status": 400, "response": {"message": ["Error: Connection Closed"]}}, "transient", "channel_down"),
        (500, {"status": 500, "response": {"message": "Connection Closed"}}, "transient", "channel_down"),
        (500, {"status": 500, "response": {"message": "Timed Out"}}, "unknown_outcome", "outcome_unknown"),
        (400, {"status": 400, "response": {"message": ["text is required"]}}, "permanent", "content_rejected"),
        (500, {"status": 500, "response": {"message": "oops"}}, "unknown_outcome", "outcome_unknown"),
    ],
)  # fmt: skip
def test_evolution(status, body, kind, code):
    outcome = answered("evolution", status, body)
    assert (outcome.kind, outcome.error.code) == (kind, code)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (404, {"message": "Session not found"}, "transient", "channel_down"),
        (422, {"error": "Session status is not as expected. Try again later"}, "transient", "channel_down"),
        (422, {"message": "Plus only"}, "permanent", "content_rejected"),
        (500, {"message": "oops"}, "unknown_outcome", "outcome_unknown"),
    ],
)
def test_waha(status, body, kind, code):
    outcome = answered("waha", status, body)
    assert (outcome.kind, outcome.error.code) == (kind, code)


@pytest.mark.parametrize(
    "body",
    [
        {"id": "true_5511900000012@c.us_3EB0A"},
        {"id": {"_serialized": "true_5511900000012@c.us_3EB0A"}},
        {"id": {"fromMe": True, "id": "3EB0A"}},
        {"key": {"id": "3EB0A"}},
        {"id": "3EB0A"},
        {"id": "true_123@g.us_3EB0A_5511@c.us"},
    ],
)
def test_waha_has_a_shape_for_each_engine(body):
    assert answered("waha", 201, body).external_id == "3EB0A"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, {"error": "Client-Token not allowed"}, "auth", "auth_failed"),
        (403, {"error": "x"}, "auth", "auth_failed"),
        (404, {"error": "Instance not found"}, "permanent", "account_restricted"),
        (415, {"error": "x"}, "permanent", "content_rejected"),
        (500, {"error": "x"}, "transient", "provider_error"),
    ],
)
def test_zapi(status, body, kind, code):
    outcome = answered("zapi", status, body)
    assert (outcome.kind, outcome.error.code) == (kind, code)


@pytest.mark.parametrize(
    ("status", "number", "kind", "code"),
    [
        (401, 20003, "auth", "auth_failed"),
        (429, 20429, "rate_limited", "rate_limited"),
        (400, 63018, "rate_limited", "rate_limited"),
        (400, 63016, "window_closed", "window_closed"),
        (400, 21211, "permanent", "recipient_unreachable"),
        (400, 21610, "permanent", "recipient_opted_out"),
        (400, 63021, "permanent", "content_rejected"),
        (403, 63020, "permanent", "account_restricted"),
        (400, 55555, "permanent", "provider_error"),
        (500, 20500, "transient", "provider_error"),
    ],
)
def test_twilio(status, number, kind, code):
    outcome = answered("twilio", status, {"code": number, "message": "x", "more_info": "y", "status": status})
    assert (outcome.kind, outcome.error.code, outcome.error.provider_code) == (kind, code, str(number))


def test_twilios_daily_limit_ends_at_midnight():
    outcome = answered("twilio", 400, {"code": 63038, "message": "x", "status": 400})
    assert 0 < outcome.retry_after <= 86_400


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (SmtpAnswer(250), "ok", None),
        (SmtpAnswer(421, "busy", "connect"), "transient", "provider_error"),
        (SmtpAnswer(451, "greylisted", "rcpt"), "transient", "provider_error"),
        (SmtpAnswer(454, "no TLS", "tls"), "transient", "network_error"),
        (SmtpAnswer(535, "bad password", "auth"), "auth", "auth_failed"),
        (SmtpAnswer(530, "authenticate first", "mail"), "auth", "auth_failed"),
        (SmtpAnswer(550, "no such user", "rcpt"), "permanent", "recipient_unreachable"),
        (SmtpAnswer(554, "5.1.1 no such user", "rcpt"), "permanent", "recipient_unreachable"),
        (SmtpAnswer(552, "too big"), "permanent", "content_rejected"),
        (SmtpAnswer(554, "spam"), "permanent", "provider_error"),
        (NoAnswer("before", "refused"), "transient", "network_error"),
        (NoAnswer("after", "broken"), "unknown_outcome", "outcome_unknown"),
    ],
)
def test_mail(answer, kind, code):
    outcome = mail.outcome(answer, "id@example.com")
    assert (outcome.kind, outcome.error and outcome.error.code) == (kind, code)
    assert outcome.external_id == ("id@example.com" if kind == "ok" else None)


@pytest.mark.parametrize(("status", "kind"), [(200, "ok"), (204, "ok"), (400, "permanent"), (500, "transient")])
def test_a_receipt_is_taken_or_not(status, kind):
    assert receipt_outcome(Answer(status)).kind == kind


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("99999999999999999999", 3600),
        ("Fri, 01 Mar 2030 12:00:30 GMT", 30),
        ("Fri, 01 Mar 2030 11:00:00 GMT", 0),
        ("Sat, 02 Mar 2030 12:00:00 GMT", 3600),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert retry_after(header, datetime(2030, 3, 1, 12, tzinfo=UTC)) == seconds


def test_a_messengers_words_hold_no_token_and_no_address():
    words = "Bad token EAAGm0PX4ZCpsBAKZCZCZCZCZCZCZC at https://graph.example/v1?access_token=x\n\x07" + " long" * 500
    cleaned = clean_words(words)
    assert cleaned.startswith("Bad token … at … long")
    assert len(cleaned) <= 500


@pytest.mark.parametrize(
    ("channel", "provider", "code", "words", "expected"),
    [
        ("whatsapp", "whatsapp_cloud", "131047", "Re-engagement message", ("window_closed", "use_template", "131047")),
        (
            "whatsapp",
            "whatsapp_cloud",
            None,
            "131026: Undeliverable",
            ("recipient_unreachable", "check_recipient", "131026"),
        ),
        ("whatsapp", "twilio", "63016", None, ("window_closed", "use_template", "63016")),
        ("messenger", "messenger", "10/2018278", "late", ("window_closed", "wait_for_customer", "10/2018278")),
        ("email", "mime", "5.1.1", "no such user", ("recipient_unreachable", "check_recipient", "5.1.1")),
        ("email", "mime", "5.7.1", "spam", ("provider_error", "retry_later", "5.7.1")),
        ("whatsapp", "evolution", None, "ERROR", ("provider_error", "retry_later", None)),
        ("whatsapp", "zapi", None, None, ("provider_error", "retry_later", None)),
    ],
)
def test_a_failure_that_is_told_later_is_judged_by_the_same_tables(channel, provider, code, words, expected):
    error = failure_of(channel, provider, code, words)
    assert (error.code, error.remedy, error.provider_code) == expected
