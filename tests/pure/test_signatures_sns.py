"""Is a post Amazon's? Its signature, its certificate, and where that may come from."""

from datetime import timedelta

import pytest

from alfred.signatures import Refused, Verified, sns
from tests import signers
from tests.pure.test_signatures import NOW, post, refused

SNS = signers.Sns(NOW)


def sns_verdict(raw, headers, topics=(signers.Sns.ARN,), pem=SNS.pem, now=NOW):
    envelope = sns.envelope_of(post(raw, headers), topics)
    return envelope if isinstance(envelope, Refused) else sns.verify(envelope, pem, now)


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", ["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_amazon_signs_chosen_fields(kind, version):
    raw, headers = SNS('{"ação": "\\u00e7"}', NOW, kind=kind, version=version)
    assert sns_verdict(raw, headers) == Verified()
    assert refused(sns_verdict(raw.replace(b"\\u00e7", b"\\u00e8"), headers))
    assert refused(sns_verdict(raw.replace(b'"MessageId": "1"', b'"MessageId": "2"'), headers))
    assert refused(sns_verdict(raw, headers, pem=signers.Sns(NOW).pem))
    assert refused(sns_verdict(raw, headers, pem=b"no certificate"))
    assert refused(sns_verdict(raw, headers, topics=["arn:aws:sns:eu-west-1:999999999999:mail"]))
    assert refused(sns_verdict(raw, headers, topics=[]), "hook_not_configured")
    assert refused(sns_verdict(raw, {"x-amz-sns-message-type": "Other"}))
    assert refused(sns_verdict(raw, {}))


def test_amazons_subject_is_signed_where_there_is_one():
    raw, headers = SNS("x", NOW, Subject="Olá")
    assert sns_verdict(raw, headers) == Verified()
    assert refused(sns_verdict(raw.replace(b"Ol\\u00e1", b"Oi"), headers))


@pytest.mark.parametrize(("minutes", "fits"), [(0, True), (59, True), (61, False), (-14, True), (-16, False)])
def test_amazons_posts_grow_old(minutes, fits):
    raw, headers = SNS("x", NOW - timedelta(minutes=minutes))
    assert (sns_verdict(raw, headers) == Verified()) == fits


def test_amazons_certificate_has_its_time():
    later = NOW + timedelta(days=400)
    raw, headers = SNS("x", later)
    assert refused(sns_verdict(raw, headers, now=later))


@pytest.mark.parametrize(
    "url",
    ["http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
     "https://sns.eu-west-1.amazonaws.com:443/SimpleNotificationService-0123456789abcdef.pem",
     "https://u@sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
     "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
     "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
     "https://evil.example/SimpleNotificationService-0123456789abcdef.pem",
     "https://sns.eu-west-1.amazonaws.com/other.pem", "https://[", "", None,
     "https://sns.eu-west-1.amazonaws.com/../SimpleNotificationService-0123456789abcdef.pem",
     "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem#x"],
)  # fmt: skip
def test_no_certificate_comes_from_elsewhere(url):
    raw, headers = SNS("x", NOW, SigningCertURL=url)
    assert refused(sns_verdict(raw, headers))


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/?Action=ConfirmSubscription", "https://sns.eu-west-1.amazonaws.com/?Action=Publish",
     "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription", None],
)  # fmt: skip
def test_no_subscription_is_confirmed_elsewhere(url):
    raw, headers = SNS("x", NOW, kind="SubscriptionConfirmation", SubscribeURL=url)
    assert refused(sns_verdict(raw, headers))


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"1", b'{"Type": 1}', b"[" * 100_000])
def test_what_is_no_envelope(raw):
    assert refused(sns_verdict(raw, {"x-amz-sns-message-type": "Notification"}))
