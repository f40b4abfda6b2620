"""What Meta's answers mean: WhatsApp by code, Messenger and Instagram by code and subcode."""

import json

import pytest

from tests.pure.test_senders_outcomes import OK, answered, graph


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, graph(190), "auth", "auth_failed"),
        (400, graph(0), "auth", "auth_failed"),
        (403, graph(200), "auth", "auth_failed"),
        (403, graph(299), "auth", "auth_failed"),
        (400, graph(131005), "auth", "auth_failed"),
        (400, graph(131056), "rate_limited", "rate_limited"),
        (400, graph(4), "rate_limited", "rate_limited"),
        (400, graph(130429), "rate_limited", "rate_limited"),
        (429, graph(99999), "rate_limited", "rate_limited"),
        (400, graph(131047), "window_closed", "window_closed"),
        (400, graph(470), "window_closed", "window_closed"),
        (500, graph(131047), "window_closed", "window_closed"),
        (400, graph(131026), "permanent", "recipient_unreachable"),
        (400, graph(131050), "permanent", "recipient_opted_out"),
        (400, graph(131049), "permanent", "recipient_opted_out"),
        (400, graph(100), "permanent", "content_rejected"),
        (400, graph("131053"), "permanent", "content_rejected"),
        (404, graph(132001), "permanent", "template_rejected"),
        (400, graph(368), "permanent", "account_restricted"),
        (400, graph(131042), "permanent", "payment_required"),
        (500, graph(1), "transient", "provider_error"),
        (400, graph(131016), "transient", "provider_error"),
        (400, graph(77777, is_transient=True), "transient", "provider_error"),
        (503, graph(77777), "transient", "provider_error"),
        (400, graph(77777), "permanent", "provider_error"),
        (200, graph(131047), "window_closed", "window_closed"),
    ],
)
def test_whatsapp_is_judged_by_code(status, body, kind, code):
    outcome = answered("whatsapp_cloud", status, body)
    assert (outcome.kind, outcome.error.code) == (kind, code)
    assert outcome.error.provider_code == str(body["error"]["code"])


def test_whatsapp_tells_pairs_from_channels_and_spam_from_haste():
    assert answered("whatsapp_cloud", 400, graph(131056)).limit == "pair"
    assert answered("whatsapp_cloud", 400, graph(131048)).retry_after == 3600
    assert answered("whatsapp_cloud", 400, graph(4)).limit == "channel"


def test_whatsapp_may_call_the_number_otherwise():
    assert answered("whatsapp_cloud", *OK["whatsapp_cloud"]).handle == "+5511"


@pytest.mark.parametrize("provider", ["messenger", "instagram"])
@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (400, graph(10, 2018278), "window_closed", "window_closed"),
        (403, graph(10, 2534022), "window_closed", "window_closed"),
        (400, graph(10, 5, "Sent outside of allowed window."), "window_closed", "window_closed"),
        (403, graph(10), "auth", "auth_failed"),
        (403, graph(200), "auth", "auth_failed"),
        (403, graph(200, 1545041), "permanent", "recipient_unreachable"),
        (400, graph(551), "permanent", "recipient_unreachable"),
        (400, graph(100, 2018001), "permanent", "recipient_unreachable"),
        (400, graph(100, 33), "permanent", "recipient_unreachable"),
        (400, graph(100), "permanent", "content_rejected"),
        (400, graph(613), "rate_limited", "rate_limited"),
        (400, graph(80006), "rate_limited", "rate_limited"),
        (400, graph(368), "permanent", "account_restricted"),
        (403, graph(10, 1893063), "permanent", "account_restricted"),
        (500, graph(2), "transient", "provider_error"),
        (400, graph(1200), "transient", "provider_error"),
        (500, graph(424242), "transient", "provider_error"),
        (400, graph(424242), "permanent", "provider_error"),
    ],
)
def test_messenger_and_instagram_are_judged_by_code_and_subcode(provider, status, body, kind, code):
    outcome = answered(provider, status, body)
    assert (outcome.kind, outcome.error.code) == (kind, code)


def test_a_missing_permission_hides_behind_an_unknown_error():
    kinds = [answered("messenger", 500, graph(1, 99), attempts).kind for attempts in (1, 2, 3)]
    assert kinds == ["transient", "transient", "auth"]


def test_a_refused_parameter_may_be_the_reply():
    assert answered("messenger", 400, graph(100)).without_reply
    assert not answered("messenger", 400, graph(100, 2018001)).without_reply


def test_minutes_until_access_is_regained():
    usage = json.dumps({"17": [{"type": "messenger", "estimated_time_to_regain_access": 3}]})
    outcome = answered("messenger", 400, graph(80006), headers={"x-business-use-case-usage": usage})
    assert outcome.retry_after == 180
