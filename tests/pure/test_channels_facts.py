"""What payloads tell beside messages: wishes of customers, the state of the account, ads, baskets, what is ignored."""

import json

import pytest

from alfred.channels import normalise
from alfred.channels.body import read_body
from alfred.channels.unwrapping import body_of, without_forwarder
from tests.pure.payloads import cloud, event, evolution, jid, meta, one, read, says, twilio, waha, zapi


def change(field, **value):
    inside = {"metadata": {"phone_number_id": "109"}, **value}
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": field, "value": inside}]}]}


@pytest.mark.parametrize(
    ("payload", "type", "subject"),
    [
        (change("user_preferences", user_preferences=[{"wa_id": "55119", "value": "stop"}]), "opt_out", "+55119"),
        (change("user_preferences", user_preferences=[{"user_id": "BR.x", "value": "resume"}]), "opt_in", "BR.x"),
        (meta(event(optin={"notification_messages_status": "STOP NOTIFICATIONS"})), "opt_out", "7"),
        (meta(event(optin={"notification_messages_status": "RESUME_NOTIFICATIONS"})), "opt_in", "7"),
        (twilio(Body="SAIR", OptOutType="STOP"), "opt_out", "+55"),
        (twilio(Body="VOLTAR", OptOutType="START"), "opt_in", "+55"),
    ],
)
def test_wishes_of_customers(payload, type, subject):
    (fact,) = one(payload).facts
    assert (fact.type, fact.about, fact.subject) == (type, "contact", subject)
    assert fact.detail.endswith(".")


@pytest.mark.parametrize(
    ("payload", "about", "code"),
    [
        (evolution({"state": "close", "statusReason": 428}, "connection.update"), "connection", "channel_down"),
        (evolution({"state": "close", "statusReason": 401}, "CONNECTION_UPDATE"), "connection", "auth_failed"),
        (evolution({"state": "close", "statusReason": 403}, "connection.update"), "connection", "account_restricted"),
        (evolution({"status": "closed"}, "status.instance"), "connection", "channel_down"),
        (evolution({}, "logout.instance"), "connection", "auth_failed"),
        (waha("session.status", status="FAILED"), "connection", "channel_down"),
        (waha("session.status", status="SCAN_QR_CODE"), "connection", "auth_failed"),
        (zapi(type="DisconnectedCallback", error="x"), "connection", "channel_down"),
        (
            change("phone_number_quality_update", event="FLAGGED", current_limit="TIER_1K"),
            "quality",
            "account_restricted",
        ),
        (
            change("message_template_status_update", event="PAUSED", message_template_name="oi"),
            "template",
            "template_rejected",
        ),
        (change("message_template_quality_update", new_quality_score="RED"), "template", "template_rejected"),
        (change("account_update", event="ACCOUNT_RESTRICTION"), "account", "account_restricted"),
        (
            change("account_update", event="DISABLED_UPDATE", ban_info={"waba_ban_state": "DISABLE"}),
            "account",
            "account_restricted",
        ),
        (cloud(errors=[{"code": 131045, "title": "x"}], messages=[]), "account", "provider_error"),
    ],
)
def test_what_ails_an_account(payload, about, code):
    item = one(payload)
    (fact,) = item.facts
    assert (item.kind, fact.type, fact.about, fact.code) == ("ignored", "channel_error", about, code)
    assert fact.detail
    assert fact.provider_code


@pytest.mark.parametrize(
    ("payload", "about"),
    [
        (evolution({"state": "open"}, "connection.update"), "connection"),
        (waha("session.status", status="WORKING"), "connection"),
        (zapi(type="ConnectedCallback"), "connection"),
        (change("phone_number_quality_update", event="UNFLAGGED"), "quality"),
        (change("message_template_status_update", event="REINSTATED"), "template"),
        (change("account_update", event="DISABLED_UPDATE", ban_info={"waba_ban_state": "REINSTATE"}), "account"),
    ],
)
def test_what_is_well_again(payload, about):
    (fact,) = one(payload).facts
    assert (fact.type, fact.about, fact.code) == ("channel_recovered", about, None)


@pytest.mark.parametrize(
    "payload",
    [
        evolution({"state": "connecting"}, "connection.update"),
        waha("session.status", status="STARTING"),
        change("message_template_status_update", event="PENDING"),
        change("account_update", event="VERIFIED_ACCOUNT"),
        change("user_preferences", user_preferences=[{"value": "stop"}, 5, {"wa_id": "55", "value": "else"}]),
    ],
)
def test_what_is_between_tells_nothing(payload):
    assert one(payload).facts == ()


AD = {"source_type": "ad", "source_id": "1", "headline": "T", "source_url": "u", "ctwa_clid": "c"}
SHOWN = {"title": "T", "sourceType": "ad", "sourceId": "1", "sourceUrl": "u", "ctwaClid": "c"}
TEXT = {"extendedTextMessage": {"text": "oi", "contextInfo": {"externalAdReply": SHOWN}}}


@pytest.mark.parametrize(
    "payload",
    [
        cloud(says("text", text={"body": "oi"}, referral=AD)),
        evolution({"key": jid(), "message": TEXT}),
        evolution({"key": jid(), "message": {"conversation": "oi"}, "contextInfo": {"externalAdReply": SHOWN}}),
        waha("message", body="oi", _data={"message": TEXT}),
        zapi(text={"message": "oi"}, externalAdReply=SHOWN),
        twilio(
            Body="oi",
            ReferralSourceType="ad",
            ReferralSourceId="1",
            ReferralHeadline="T",
            ReferralSourceUrl="u",
            ReferralCtwaClid="c",
        ),
    ],
)
def test_the_ad_that_brought_the_customer(payload):
    referral = {"source_type": "ad", "source_id": "1", "click_id": "c", "headline": "T", "url": "u"}
    item = one(payload)
    assert (item.kind, item.text, item.referral.model_dump()) == ("message", "oi", referral)


def test_referrals_of_messenger():
    ad = {"source": "ADS", "type": "OPEN_THREAD", "ad_id": "1", "ads_context_data": {"ad_title": "T"}}
    for payload in (
        event(message={"mid": "m", "text": "x", "referral": ad}),
        event(postback={"title": "x", "referral": ad}),
    ):
        referral = one(meta(payload)).referral
        assert (referral.source_type, referral.source_id, referral.headline) == ("ADS", "1", "T")
    item = one(meta(event(referral=ad)))
    assert (item.kind, item.ignored_kind, item.referral.source_id) == ("ignored", "referral", "1")
    product = {"mid": "m", "text": "x", "referral": {"product": {"id": "p"}}}
    assert one(meta(event(message=product), object="instagram")).referral.source_id == "p"


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [
        (2, 10.5, (2, "10.50")),
        ("3", "7", (3, "7.00")),
        (0, -1, (None, None)),
        ("x", "nan", (None, None)),
        (1.0, 1e400, (1, None)),
    ],
)
def test_baskets(quantity, price, expected):
    row = {"product_retailer_id": "s", "quantity": quantity, "item_price": price, "currency": "BRL"}
    item = one(cloud(says("order", order={"catalog_id": "c", "product_items": [row, 5]})))
    (line,) = item.order.items
    assert (item.order.catalog_id, line.sku, line.currency) == ("c", "s", "BRL")
    assert (line.quantity, line.price) == expected


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (cloud(says("request_welcome")), "opened_chat"),
        (cloud(says("system", system={"body": "x"})), "system_note"),
        (cloud(says("text", text={"body": "x"}, group_id="g")), "group"),
        (change("calls"), "call"),
        (evolution({"key": jid(), "message": {"albumMessage": {}}}), "announcement"),
        (
            evolution({"key": jid(), "message": {"ephemeralMessage": {"message": {"pinInChatMessage": {}}}}}),
            "pin",
        ),
        (evolution({"key": jid(), "message": {"pinInChatMessage": {"key": {}}}}), "pin"),
        (evolution({"key": jid(), "message": {"keepInChatMessage": {"key": {}}}}), "keep"),
        (evolution({"key": jid("1@newsletter"), "message": {"conversation": "x"}}), "channel_post"),
        (evolution({"key": jid(), "message": {"protocolMessage": {"type": 3}}}), "system_note"),
        (evolution({}, "presence.update"), "presence"),
        (waha("message", body="", _data={"message": {"albumMessage": {}}}), "announcement"),
        (waha("message.waiting"), "not_decrypted"),
        (zapi(waitingMessage=True, text={"message": "x"}), "not_decrypted"),
        (zapi(type="PresenceChatCallback"), "presence"),
        (zapi(isGroup=True, text={"message": "x"}), "group"),
        (zapi(broadcast=True, text={"message": "x"}), "broadcast"),
        (meta({"sender": {"id": "7"}, "recipient": {"id": "9"}, "typing": {}}), "presence"),
    ],
)
def test_what_is_ignored_says_what_it_was(payload, kind):
    item = one(payload)
    assert (item.kind, item.ignored_kind) == ("ignored", kind)
    assert item.reason.endswith(".")
    assert item.provider
    assert item.raw


GOOD = cloud(says("text", text={"body": "oi"}))


def test_what_no_shape_fits_in_a_batch_is_rejected_and_the_others_are_read():
    reading = normalise([GOOD, {"x": 1}, "nada", {"json": {"y": 2}}], "whatsapp")
    assert reading.recognised
    assert [(item.kind, item.rejected) for item in reading.items] == [("message", False), *[("ignored", True)] * 3]
    assert reading.rejected == ({"x": 1}, "nada", {"y": 2})
    assert [item.raw for item in reading.items[1:]] == [{"x": 1}, "nada", {"y": 2}]
    body, content_type = body_of(reading.rejected)
    assert read_body(body, content_type) == [{"x": 1}, "nada", {"y": 2}]


def test_a_body_without_headers_cannot_be_answered():
    reading = normalise([{"json": {"raw": "Quero 2 mesas", "attributes": {"uid": 1}}}, GOOD], "email")
    assert [(item.kind, item.rejected) for item in reading.items] == [("ignored", True), ("message", False)]
    assert reading.rejected == ({"raw": "Quero 2 mesas", "attributes": {"uid": 1}},)
    whole = {"raw": "From: a@b.example\nTo: c@d.example\n\nQuero"}
    assert (one(whole).sender.handle, one(whole).text) == ("a@b.example", "Quero")


def test_a_mail_without_a_readable_sender_is_rejected_and_a_machines_is_not():
    mail = b"From: nobody\r\nTo: v@example.org\r\n\r\nQuero"
    reading = normalise(mail, "email")
    assert (reading.recognised, reading.rejected, reading.items[0].rejected) == (True, (mail,), True)
    assert body_of(reading.rejected) == (mail, "message/rfc822")
    machine = normalise(b"Auto-Submitted: auto-replied\r\n" + mail, "email")
    assert (machine.rejected, machine.items[0].ignored_kind) == ((), "machine_mail")
    assert normalise({"MessageStream": "x", "MessageID": "y", "TextBody": "oi"}, "email").items[0].rejected


SECRET = {"headers": {"authorization": "Bearer secret", "content-type": "application/json"}, "params": {}, "query": {}}


@pytest.mark.parametrize(
    ("body", "kept"),
    [({"x": 1}, {"x": 1}), ([{"x": 1}], {"x": 1}), ("no shape", "no shape"), ('{"x": 1}', {"x": 1})],
)
def test_what_is_kept_never_holds_a_forwarders_headers(body, kept):
    for wrapper in ({**SECRET, "body": body}, {"json": {**SECRET, "body": body}}):
        reading = normalise(wrapper, "whatsapp")
        assert (reading.recognised, reading.rejected) == (False, (kept,))
        assert b"secret" not in body_of(reading.rejected)[0]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({**SECRET, "body": {"x": 1}}) + ",",
        json.dumps({**SECRET, "body": {"x": 1}})[:-3],
        '[{"headers": {"a": "}", "authorization": "Bearer secret"',
        '{"a": 1, "headers" : {"b": {"c": "secret"}}, "headers": {"d": "secret"}, "e": ',
    ],
)
def test_nor_does_what_is_no_json(body):
    cleaned = without_forwarder(body.encode())
    assert b"secret" not in cleaned
    assert cleaned.startswith(body[:5].encode())
    assert without_forwarder(b'{"x": "secret') == b'{"x": "secret'


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(GOOD),
        json.dumps(json.dumps(GOOD)),
        json.dumps([json.dumps([GOOD])]),
        "\ufeff" + json.dumps(GOOD),
    ],
)
def test_a_string_in_the_place_of_a_payload_is_what_it_holds(body):
    wrapper = {**SECRET, "body": body}
    for payload in (wrapper, [wrapper], {"json": wrapper}, json.dumps(wrapper), body):
        assert [item.text for item in read(payload)] == ["oi"]


def test_a_string_is_read_as_if_it_were_posted():
    mail = "From: a@b.example\r\nTo: c@d.example\r\n\r\nQuero"
    assert one({**SECRET, "body": mail}).text == "Quero"
    form = {
        "headers": {"content-type": "application/x-www-form-urlencoded"},
        "body": "MessageSid=S&From=%2B5511&Body=a%20b",
    }
    assert one(form).text == "a b"
