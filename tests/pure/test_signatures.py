"""Is a post genuine? Right, wrong, missing and doubled signatures of each scheme."""

import base64
from datetime import UTC, datetime
from urllib.parse import urlencode

import jwt
import pytest

from alfred.signatures import Post, Refused, Verified, verify
from tests import signers

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
KEY, OLD = "s3cr3t-one", "s3cr3t-two"
WHSEC = "whsec_" + base64.b64encode(b"a key of twenty-four bytes").decode()
SENDGRID = signers.SendGrid()
BODIES = [b"{}", '{"text": "Promoção ação 🎉"}'.encode(), b'{"text": "\\u00e7\\ud83c\\udf89 \\/"}', b"\xff\xfe\x00 raw"]
URL = "https://crm.example.org/api/v1/hooks/twilio/k3y?d=1"
FORM = [("From", "whatsapp:+5511900000012"), ("Body", "Olá, ação & 🎉"), ("Empty", ""), ("Two", "b"), ("Two", "a")]


def post(raw, headers, url="", asked="", extra=()):
    found = {}
    for name, value in [*headers.items(), *extra]:
        found.setdefault(name.lower(), []).append(value)
    return Post(found, raw, url, asked)


def verdict(provider, raw, headers, secrets, **more):
    return verify(provider, post(raw, headers, **more), secrets, NOW)


def refused(found, code="bad_signature"):
    assert isinstance(found, Refused), found
    assert KEY not in found.detail
    assert found.detail.endswith(".") or found.detail.endswith("/...")
    return found.code == code


# Each scheme over a raw body: how it is signed, and where its secrets stand.
RAW_SCHEMES = {
    "whatsapp_cloud": (signers.meta, "app_secrets"),
    "messenger": (signers.meta, "app_secrets"),
    "instagram": (signers.meta, "app_secrets"),
    "waha": (signers.waha, "hmac_keys"),
}


@pytest.mark.parametrize("raw", BODIES)
@pytest.mark.parametrize("provider", RAW_SCHEMES)
def test_a_raw_body_is_signed(provider, raw):
    sign, name = RAW_SCHEMES[provider]
    good = sign(raw, KEY)
    assert verdict(provider, raw, good, {name: [KEY]}) == Verified()
    assert verdict(provider, raw, {n: v.upper() for n, v in good.items()}, {name: [KEY]}) == Verified()
    assert verdict(provider, raw, good, {name: [OLD, KEY]}) == Verified()
    assert refused(verdict(provider, raw, good, {name: [OLD]}))
    assert refused(verdict(provider, raw + b" ", good, {name: [KEY]}))
    assert refused(verdict(provider, raw, {}, {name: [KEY]}))
    assert refused(verdict(provider, raw, good, {name: [KEY]}, extra=good.items()))
    assert refused(verdict(provider, raw, good, {}), "hook_not_configured")
    assert refused(verdict(provider, raw, good, {name: []}), "hook_not_configured")


@pytest.mark.parametrize("header", ["", "sha256=", "sha1=ab", "sha256=zz", "sha256=é", "\udcff", "x" * 9000])
def test_odd_headers_are_refused(header):
    assert refused(verdict("messenger", b"{}", {"X-Hub-Signature-256": header}, {"app_secrets": [KEY]}))


def test_metas_older_header_does_not_count():
    import hmac

    sha1 = {"X-Hub-Signature": "sha1=" + hmac.digest(KEY.encode(), b"{}", "sha1").hex()}
    assert refused(verdict("messenger", b"{}", sha1, {"app_secrets": [KEY]}))


def test_wahas_algorithm_is_not_the_senders_choice():
    good = signers.waha(b"{}", KEY)
    for algorithm in ("sha256", "none", ""):
        changed = good | {"X-Webhook-Hmac-Algorithm": algorithm}
        assert refused(verdict("waha", b"{}", changed, {"hmac_keys": [KEY]}))
    assert refused(verdict("waha", b"{}", {"X-Webhook-Hmac": good["X-Webhook-Hmac"]}, {"hmac_keys": [KEY]}))


def twilio(url=URL, fields=FORM, signed_url=None, signed_fields=None, token=KEY, asked=""):
    headers = signers.twilio(signed_url or url, signed_fields or fields, token)
    return verdict("twilio", urlencode(fields).encode(), headers, {"auth_tokens": [OLD, KEY]}, url=url, asked=asked)


def test_twilio_signs_url_and_fields():
    assert twilio() == Verified()
    assert twilio(fields=[("A", "")]) == Verified()
    assert twilio(fields=[*FORM, ("Two", "a")]) == Verified()  # the same value twice is one
    assert refused(twilio(signed_fields=FORM[:-1]))
    assert refused(twilio(signed_url=URL.replace("d=1", "d=2")))
    assert refused(twilio(token="other"))
    assert refused(verdict("twilio", b"", {}, {"auth_tokens": [KEY]}, url=URL))
    assert refused(verdict("twilio", b"", {}, {}, url=URL), "hook_not_configured")


def test_twilios_url_with_and_without_the_port():
    with_port = URL.replace("example.org", "example.org:443")
    assert twilio(signed_url=with_port) == Verified()
    assert twilio(url=with_port, signed_url=URL) == Verified()
    odd = URL.replace("example.org", "example.org:8443")
    assert twilio(url=odd) == Verified()
    assert refused(twilio(url=odd, signed_url=URL))


def test_twilio_without_the_fragment():
    assert twilio(url=URL + "#rc=2", signed_url=URL) == Verified()


def test_twilio_behind_a_proxy_is_told_what_to_set():
    found = twilio(url=URL.replace("https", "http"), signed_url=URL)
    assert refused(found)
    assert found.detail == (
        "Twilio signed https://crm.example.org/…, we were asked as http://crm.example.org/…: set ALFRED_PUBLIC_URL."
    )
    found = twilio(url=URL, asked=URL.replace("crm.", "www."), signed_url=URL.replace("crm.", "www."))
    assert "www.example.org" in found.detail
    assert "k3y" not in found.detail


def test_twilios_json_is_signed_by_a_digest_in_the_url():
    raw = '{"a": "ç"}'.encode()
    url = f"{URL}&bodySHA256={signers.sha256(raw)}"
    headers = signers.twilio(url, [], KEY)
    assert verdict("twilio", raw, headers, {"auth_tokens": [KEY]}, url=url) == Verified()
    assert refused(verdict("twilio", raw + b" ", headers, {"auth_tokens": [KEY]}, url=url))


def mailgun_form(fields, multipart):
    if not multipart:
        return urlencode(fields).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    parts = [f'--b0\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields]
    raw = "".join(parts).encode() + b"--b0--\r\n"
    return raw, {"Content-Type": 'multipart/form-data; boundary="b0"'}


@pytest.mark.parametrize("multipart", [False, True])
def test_mailgun_signs_a_moment_and_a_token(multipart):
    good = signers.mailgun(KEY, AT)

    def judged(fields, keys=(KEY,)):
        raw, headers = mailgun_form(fields, multipart)
        return verdict("mailgun", raw, headers, {"signing_keys": list(keys)})

    fields = [("subject", "Olá"), ("body-plain", "x" * 10_000), *good.items()]
    assert judged(fields) == Verified()
    assert judged([("token", "forged"), *fields]) == Verified()  # the last of repeated fields
    assert refused(judged([*fields, ("token", "forged")]))
    assert judged(fields, (OLD, KEY)) == Verified()
    assert refused(judged(fields, (OLD,)))
    assert refused(judged(fields[:2]))
    assert refused(judged(fields, ()), "hook_not_configured")
    for seconds, fits in ((-12 * 3600 + 1, True), (-12 * 3600 - 1, False), (500, True), (700, False)):
        found = judged([*signers.mailgun(KEY, AT + seconds).items()])
        assert (found == Verified()) == fits, seconds
    assert refused(judged([*signers.mailgun(KEY, "soon").items()]))


def test_mailgun_signs_json_too():
    import json

    headers = {"Content-Type": "application/json"}
    raw = json.dumps({"signature": signers.mailgun(KEY, AT), "event-data": {}}).encode()
    assert verdict("mailgun", raw, headers, {"signing_keys": [KEY]}) == Verified()
    for other in (b"{", b"[]", b'{"signature": 1}', b"[" * 100_000):
        assert refused(verdict("mailgun", other, headers, {"signing_keys": [KEY]}))


@pytest.mark.parametrize("raw", BODIES)
def test_sendgrid_signs_with_a_key_pair(raw):
    good, secrets = SENDGRID(raw), {"public_key": SENDGRID.public}
    pem = f"-----BEGIN PUBLIC KEY-----\n{SENDGRID.public}\n-----END PUBLIC KEY-----\n"
    assert verdict("sendgrid", raw, good, secrets) == Verified()
    assert verdict("sendgrid", raw, good, {"public_key": pem}) == Verified()
    assert refused(verdict("sendgrid", raw + b"x", good, secrets))
    assert refused(verdict("sendgrid", raw, good | SENDGRID(raw + b"1"), secrets))
    assert refused(verdict("sendgrid", raw, {}, secrets))
    assert refused(verdict("sendgrid", raw, good, secrets, extra=good.items()))
    assert refused(verdict("sendgrid", raw, good, {"public_key": signers.SendGrid().public}))
    assert refused(verdict("sendgrid", raw, good, {"public_key": "nonsense"}), "hook_not_configured")
    assert refused(verdict("sendgrid", raw, good, secrets | {"basic": {"username": "a", "password": "b"}}))


@pytest.mark.parametrize("prefix", ["svix-", "webhook-"])
@pytest.mark.parametrize("raw", BODIES)
def test_svix_signs_id_moment_and_body(raw, prefix):
    good = signers.svix(raw, WHSEC, AT, prefix=prefix)
    secrets = {"signing_secrets": [WHSEC]}
    assert verdict("resend", raw, good, secrets) == Verified()
    two = good | {f"{prefix}signature": "v1,bm90IHRoaXM= v2,x " + good[f"{prefix}signature"]}
    assert verdict("resend", raw, two, secrets) == Verified()
    assert verdict("resend", raw, good, {"signing_secrets": ["whsec_b3RoZXI=", WHSEC]}) == Verified()
    assert refused(verdict("resend", raw, good, {"signing_secrets": ["whsec_b3RoZXI="]}))
    assert refused(verdict("resend", raw, good, {"signing_secrets": ["whsec_%%"]}))
    assert refused(verdict("resend", raw + b" ", good, secrets))
    assert refused(verdict("resend", raw, good | {f"{prefix}id": "msg_2"}, secrets))
    assert refused(verdict("resend", raw, {}, secrets))
    assert refused(verdict("resend", raw, good, secrets, extra=good.items()))
    assert refused(verdict("resend", raw, good, {}), "hook_not_configured")
    for seconds, fits in ((-299, True), (-301, False), (299, True), (301, False)):
        found = verdict("resend", raw, signers.svix(raw, WHSEC, AT + seconds, prefix=prefix), secrets)
        assert (found == Verified()) == fits, seconds


def basic(text):
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize("provider", ["postmark", "brevo", "sendgrid", "mail", "evolution", "zapi"])
def test_what_the_owner_chose_has_to_be_there(provider):
    user = {"basic": {"username": "ana", "password": "ç:s3cr3t"}}
    assert verdict(provider, b"{}", basic("ana:ç:s3cr3t"), user) == Verified()
    for headers in ({}, basic("ana:x"), basic("x:ç:s3cr3t"), {"Authorization": "Basic %%"}, {"Authorization": "Basic"}):
        assert refused(verdict(provider, b"{}", headers, user))
    assert refused(verdict(provider, b"{}", basic("ana:ç:s3cr3t"), user, extra=basic("a:b").items()))
    header = {"header": {"name": "X-Shop", "value": KEY}}
    assert verdict(provider, b"{}", {"x-shop": KEY}, header) == Verified()
    assert refused(verdict(provider, b"{}", {"x-shop": KEY + "x"}, header))
    assert refused(verdict(provider, b"{}", {}, header))
    assert verdict(provider, b"{}", {"Authorization": f"Bearer {KEY}"}, {"bearer": KEY}) == Verified()
    assert refused(verdict(provider, b"{}", {"Authorization": f"Basic {KEY}"}, {"bearer": KEY}))
    assert verdict(provider, b"{}", {}, {}) == Verified()  # the path's key alone


def test_evolutions_jwt():
    key = "a key for tests of more than 48 bytes, as SHA-384 asks"

    def judged(claims, signing_key=key, algorithm="HS256"):
        token = jwt.encode(claims, signing_key, algorithm=algorithm)
        return verdict("evolution", b"{}", {"Authorization": f"Bearer {token}"}, {"jwt_key": key})

    assert judged({"exp": AT + 1}) == Verified()
    assert judged({"exp": AT + 1, "iat": AT + 600, "aud": "x"}) == Verified()
    assert refused(judged({"exp": AT}))
    assert refused(judged({}))
    assert refused(judged({"exp": AT + 1}, "another key for tests of more than 48 bytes, as it asks"))
    assert refused(judged({"exp": AT + 1}, algorithm="HS384"))
    assert refused(verdict("evolution", b"{}", {"Authorization": "Bearer a.b.c"}, {"jwt_key": key}))
