"""Which side wrote, edited or deleted a message, and under which ids the customer is known."""

import pytest

from alfred.channels.item import Identity
from tests.pure.payloads import cloud, event, evolution, jid, meta, one, read, says, twilio, waha, zapi

CUSTOMER, SHOP = "+5511900000012", "5511900000901"
OWN_JID = jid("5511900000012@s.whatsapp.net", own=True)
OWN_WAHA = "true_5511900000012@c.us_W1"
ECHOED = "0198c0de-0000-7000-8000-000000000001"


def echoes(*messages, field="smb_message_echoes"):
    value = {"metadata": {"phone_number_id": "109", "display_phone_number": SHOP}, "message_echoes": list(messages)}
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": field, "value": value}]}]}


def own_cloud(**rest):
    return {"from": SHOP, "to": "5511900000012", "id": "w", "type": "text", "text": {"body": "oi"}, **rest}


def own_evolution(message, **envelope):
    payload = evolution({"key": OWN_JID, "pushName": "Loja", "message": message})
    return {**payload, "sender": f"{SHOP}@s.whatsapp.net", **envelope}


def own_zapi(**rest):
    return zapi(fromMe=True, phone="5511900000012", connectedPhone=SHOP, text={"message": "oi"}, **rest)


def own_meta(**rest):
    return meta({"sender": {"id": "9"}, "recipient": {"id": "7"}, **rest})


@pytest.mark.parametrize(
    ("payload", "handle", "recipient"),
    [
        (echoes(own_cloud()), CUSTOMER, "109"),
        (echoes(own_cloud(), field="message_echoes"), CUSTOMER, "109"),
        (echoes(own_cloud(to=None, to_user_id="BR.x")), "BR.x", "109"),
        (own_evolution({"conversation": "oi"}), CUSTOMER, "loja"),
        (
            own_evolution({"deviceSentMessage": {"destinationJid": "x", "message": {"conversation": "oi"}}}),
            CUSTOMER,
            "loja",
        ),
        (evolution({"key": jid(), "message": {"conversation": "oi"}}, "send.message"), CUSTOMER, "loja"),
        (waha("message.any", id=OWN_WAHA, fromMe=True, body="oi"), CUSTOMER, "+11"),
        (waha("message", id=OWN_WAHA, body="oi"), CUSTOMER, "+11"),
        (own_zapi(), CUSTOMER, f"+{SHOP}"),
        (own_meta(message={"is_echo": True, "mid": "m", "text": "oi"}), "7", "9"),
        (own_meta(message={"mid": "m", "text": "oi"}), "7", "9"),
    ],
)
def test_what_the_business_writes_is_an_echo_to_the_customer(payload, handle, recipient):
    item = one(payload)
    assert (item.kind, item.sender.handle, item.sender.name) == ("echo", handle, None)
    assert (item.recipient, item.text) == (recipient, "oi")


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (echoes(own_cloud(to=SHOP)), "note_to_self"),
        (echoes(own_cloud(to=None)), "no_sender"),
        (echoes(own_cloud(group_id="g")), "group"),
        (echoes(own_cloud(type="reaction", reaction={"emoji": "x"})), "own_reaction"),
        (echoes(own_cloud(text={"body": ""})), "empty_message"),
        (own_evolution({"reactionMessage": {"text": "x", "key": {"id": "E0"}}}), "own_reaction"),
        (own_evolution({"conversation": "oi"}, sender="5511900000012@s.whatsapp.net"), "note_to_self"),
        (evolution({"key": jid("1@g.us", own=True), "message": {"conversation": "x"}}), "group"),
        (evolution({"key": jid("status@broadcast", own=True), "message": {"conversation": "x"}}), "story"),
        (waha("message.any", id="true_11@c.us_W1", body="oi"), "note_to_self"),
        (waha("message.reaction", id=OWN_WAHA, reaction={"text": "x"}), "own_reaction"),
        (own_zapi(reaction={"value": "x"}), "own_reaction"),
        (zapi(fromMe=True, phone=SHOP, connectedPhone=SHOP, text={"message": "oi"}), "note_to_self"),
        (own_meta(reaction={"mid": "m", "emoji": "x"}), "own_reaction"),
        (meta({"sender": {"id": "9"}, "recipient": {"id": "9"}, "message": {"mid": "m", "text": "x"}}), "note_to_self"),
    ],
)
def test_what_concerns_no_customer_is_ignored(payload, kind):
    item = one(payload)
    assert (item.kind, item.ignored_kind) == ("ignored", kind)
    assert item.reason


def edit(message_id="E0", **rest):
    return {
        "protocolMessage": {"key": {"id": message_id}, "type": 14, "editedMessage": {"conversation": "novo"}, **rest}
    }


DELETION = {"protocolMessage": {"key": {"id": "E0"}, "type": "REVOKE"}}
INNER = {"original_message_id": "E0", "message": {"type": "text", "text": {"body": "novo"}}}


@pytest.mark.parametrize(
    ("payload", "status", "from_business"),
    [
        (cloud(says("edit", edit=INNER)), "edited", False),
        (cloud(says("revoke", revoke=INNER)), "deleted", False),
        (echoes(own_cloud(type="edit", edit=INNER)), "edited", True),
        (echoes(own_cloud(type="revoke", revoke=INNER)), "deleted", True),
        (evolution({"key": jid(), "message": edit()}), "edited", False),
        (
            evolution({"key": jid(), "message": {"editedMessage": {"message": edit(type="MESSAGE_EDIT")}}}),
            "edited",
            False,
        ),
        (own_evolution(edit()), "edited", True),
        (evolution({"key": jid(), "message": DELETION}), "deleted", False),
        (evolution({"key": jid(), "message": {"protocolMessage": {"key": {"id": "E0"}, "type": 0}}}), "deleted", False),
        (own_evolution(DELETION), "deleted", True),
        (
            evolution({"key": jid(id="E0"), "editedMessage": {"conversation": "novo"}}, "messages.edited"),
            "edited",
            False,
        ),
        (
            evolution({"key": {**OWN_JID, "id": "E0"}, "editedMessage": {"conversation": "novo"}}, "messages.edited"),
            "edited",
            True,
        ),
        (evolution({**OWN_JID, "id": "E0"}, "messages.delete"), "deleted", True),
        (evolution({"keyId": "E0", "status": "DELETED"}, "messages.update"), "deleted", None),
        (waha("message.edited", editedMessageId="E0", body="novo", fromMe=False), "edited", False),
        (waha("message.edited", id=OWN_WAHA, editedMessageId="E0", body="novo"), "edited", True),
        (waha("message.revoked", id=OWN_WAHA, revokedMessageId="E0"), "deleted", True),
        (waha("message", body=None, _data={"message": DELETION}), "deleted", False),
        (waha("message", body="", _data={"Message": edit()}), "edited", False),
        (zapi(messageId="E0", isEdit=True, text={"message": "novo"}), "edited", False),
        (own_zapi(messageId="E0", isEdit=True), "edited", True),
        (meta(event(message_edit={"mid": "E0", "text": "novo"})), "edited", False),
        (own_meta(message_edit={"mid": "E0", "text": "novo"}), "edited", True),
        (meta(event(message={"mid": "E0", "is_deleted": True})), "deleted", False),
        (own_meta(message={"mid": "E0", "is_deleted": True, "is_echo": True}), "deleted", True),
    ],
)
def test_edits_and_deletions_say_which_side_made_them(payload, status, from_business):
    item = one(payload)
    assert (item.kind, item.status, item.external_id) == ("status", status, "E0")
    assert item.from_business is from_business


def test_a_customers_client_writes_from_me_of_itself():
    """The chat of its key is then the business: what it edits is never one of our messages."""
    key = {"remoteJid": f"{SHOP}@s.whatsapp.net", "fromMe": True, "id": "ours"}
    payload = evolution({"key": key, "editedMessage": {"conversation": "R$ 1,00"}}, "messages.edited")
    item = one({**payload, "sender": f"{SHOP}@s.whatsapp.net"})
    assert (item.status, item.from_business, item.sender.handle) == ("edited", False, None)


@pytest.mark.parametrize(
    ("payload", "handle", "others"),
    [
        (cloud(says("text", text={"body": "x"}, from_user_id="BR.x")), CUSTOMER, [("user_id", "BR.x")]),
        (
            cloud(says("text", text={"body": "x"}), contacts=[{"wa_id": "5511900000012", "user_id": "BR.x"}]),
            CUSTOMER,
            [("user_id", "BR.x")],
        ),
        (cloud(says("text", text={"body": "x"}), contacts=[{"wa_id": "1", "user_id": "BR.y"}]), CUSTOMER, []),
        (
            evolution({"key": jid("9@lid", remoteJidAlt="5511900000012@c.us"), "message": {"conversation": "x"}}),
            CUSTOMER,
            [("lid", "9@lid")],
        ),
        (
            evolution({"key": jid("5511900000012@c.us", senderLid="9@lid"), "message": {"conversation": "x"}}),
            CUSTOMER,
            [("lid", "9@lid")],
        ),
        (
            evolution(
                {
                    "key": jid("9@lid", True, remoteJidAlt="5511900000012@c.us", senderPn="55@c.us"),
                    "message": {"conversation": "x"},
                }
            ),
            CUSTOMER,
            [("lid", "9@lid")],
        ),
        (evolution({"key": jid(remoteJidAlt="5511900000099@c.us"), "message": {"conversation": "x"}}), CUSTOMER, []),
        (
            evolution({"key": jid(remoteJidAlt="9@lid", senderLid="8@lid"), "message": {"conversation": "x"}}),
            CUSTOMER,
            [],
        ),
        (
            waha(
                "message",
                id="false_9@lid_W1",
                **{"from": "9@lid"},
                body="x",
                _data={"Info": {"SenderAlt": "5511900000012:3@s.whatsapp.net"}},
            ),
            CUSTOMER,
            [("lid", "9@lid")],
        ),
        (
            waha(
                "message",
                id="true_9@lid_W1",
                to="9@lid",
                body="x",
                _data={"Info": {"RecipientAlt": "5511900000012@c.us"}},
            ),
            CUSTOMER,
            [("lid", "9@lid")],
        ),
        (
            waha(
                "message",
                id="false_9@lid_W1",
                **{"from": "9@lid"},
                body="x",
                _data={"key": {"remoteJidAlt": "5511900000012@c.us"}},
            ),
            CUSTOMER,
            [("lid", "9@lid")],
        ),
        (zapi(phone="5511900000012", chatLid="9@lid", text={"message": "x"}), CUSTOMER, [("lid", "9@lid")]),
        (zapi(phone="9@lid", chatLid="9@lid", text={"message": "x"}), "9@lid", []),
        (
            twilio(Body="x", From="whatsapp:+5511900000012", WaId="5511900000012", ExternalUserId="whatsapp:BR.x"),
            CUSTOMER,
            [("user_id", "BR.x")],
        ),
    ],
)
def test_ids_told_beside_the_handle_are_identities_of_the_same_person(payload, handle, others):
    item = one(payload)
    assert item.sender.handle == handle
    assert item.identities == tuple(Identity(kind=kind, value=value) for kind, value in others)


def test_our_own_id_comes_back_with_statuses_and_echoes():
    status = {"id": "w", "status": "sent", "recipient_id": "55", "biz_opaque_callback_data": ECHOED}
    assert read(cloud(statuses=[status]))[0].delivery_id == ECHOED
    assert one(own_meta(message={"is_echo": True, "mid": "m", "text": "x", "metadata": ECHOED})).delivery_id == ECHOED
    assert one(own_meta(message={"is_echo": True, "mid": "m", "text": "x", "metadata": "inbox"})).delivery_id is None
    wrapper = {
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "query": {"d": ECHOED},
        "body": "MessageSid=SM1&MessageStatus=sent&To=whatsapp%3A%2B55",
    }
    assert (one(wrapper).status, one(wrapper).delivery_id) == ("sent", ECHOED)


def test_failures_come_in_their_parts():
    error = {"code": 131047, "title": "Re-engagement", "error_data": {"details": "24 hours"}}
    item = read(cloud(statuses=[{"id": "w", "status": "failed", "recipient_id": "55", "errors": [error]}]))[0]
    assert item.failure.model_dump() == {"provider_code": "131047", "detail": "131047: Re-engagement: 24 hours"}
    assert one(twilio(MessageStatus="undelivered", ErrorCode=63016)).failure.provider_code == "63016"
