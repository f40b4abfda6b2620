"""Bodies of posts: every kind is read, whatever is in them does no harm, and they are kept whole."""

import json
import secrets

import pytest

from tests.api.posts import flat, post_raw, reaction

MAIL = b"From: Nadia <nadia@example.com>\r\nTo: loja@example.com\r\nMessage-ID: <a1@example.com>\r\n\
Date: Wed, 1 May 2024 12:00:00 +0000\r\n\r\nBom dia\r\n"


async def test_a_raw_mail_is_read(ana):
    for body, kind in ((MAIL, "message/rfc822"), (MAIL, "text/plain"), (MAIL, None)):
        status, receipt = await post_raw(ana, "email", body, kind)
        assert status == 200, receipt
        assert (receipt["messages"][0]["text"], receipt["messages"][0]["external_id"]) == ("Bom dia", "a1@example.com")
    (conversation,) = await ana.conversations()
    assert (conversation["channel"]["type"], conversation["contact"]["handle"]) == ("email", "nadia@example.com")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (json.dumps(flat("oi")).encode(), "application/json; charset=utf-8"),
        (json.dumps([flat("oi")]).encode(), "application/vnd.api+json"),
        (json.dumps(flat("oi")).encode(), "text/plain"),
        (json.dumps(flat("oi")).encode(), None),
        (json.dumps({"headers": {}, "params": {}, "query": {}, "body": flat("oi")}).encode(), "application/json"),
        (b"from=%2B5511900000012&body=oi&message_id=f1", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="from"\r\n\r\n+5511900000012\r\n--x\r\n'
            b'Content-Disposition: form-data; name="body"\r\n\r\noi\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
async def test_reads_every_kind_of_body(ana, body, kind):
    status, receipt = await post_raw(ana, "whatsapp", body, kind)
    assert (status, [entry["text"] for entry in receipt["messages"]]) == (200, ["oi"])


async def test_nul_and_lone_surrogates_are_cleaned(ana):
    body = json.dumps(flat("a\x00b \ud800c", from_name="Mar\x00ina")).encode()
    status, receipt = await post_raw(ana, "whatsapp", body, "application/json")
    assert status == 200, receipt
    entry = receipt["messages"][0]
    assert (entry["text"], entry["sender"]["name"]) == ("ab \ufffdc", "Marina")
    (message,) = await ana.messages(entry["conversation_id"])
    assert message["body"] == "ab \ufffdc"


async def test_the_raw_item_is_kept_with_its_message(ana, app_db):
    """As posted, but for what PostgreSQL cannot store."""
    said = flat("oi \x00", future_field={"é": [1.50, None, "\ud800"]})
    _, receipt = await post_raw(ana, "whatsapp", json.dumps(said).encode(), "application/json")
    async with app_db.transaction():
        await app_db.execute("select app.act_as($1)", ana.id)
        kept = await app_db.fetchval(
            "select payload::text from message_payloads where message_id = $1", receipt["messages"][0]["message_id"]
        )
    assert json.loads(kept) == said | {"body": "oi ", "future_field": {"é": [1.50, None, "\ufffd"]}}


async def test_an_inbound_body_is_kept_whole(ana):
    text = "palavra " * 20_000
    entry = (await ana.post("/webhooks/whatsapp", flat(text)))[1]["messages"][0]
    (message,) = await ana.messages(entry["conversation_id"])
    assert message["body"] == text.strip()
    assert len((await ana.conversations())[0]["snippet"]) <= 140


@pytest.mark.parametrize("field", ["message_id", "from", "to", "from_name"])
async def test_a_very_long_name_or_id_does_no_harm(ana, field):
    """An index row holds less than 2,704 bytes, whatever a sender makes up."""
    long = secrets.token_urlsafe(8000)
    said = flat("oi", "somebody", to="shop", from_name="Marina") | {field: long}
    answers = [await ana.post("/webhooks/instagram", said) for _ in range(2)]
    assert [status for status, _ in answers] == [200, 200]
    assert [receipt["messages"][0]["duplicate"] for _, receipt in answers] == [False, True]


async def test_a_very_long_id_is_answered_and_reacted_to(ana):
    long = secrets.token_urlsafe(8000)
    entry = await ana.hears("oi", id=long)
    await ana.post("/webhooks/whatsapp", reaction(long, "👍", id=long + "r"))
    (message,) = await ana.messages(entry["conversation_id"])
    assert (message["external_id"], [each["emoji"] for each in message["reactions"]]) == (long, ["👍"])


async def test_reads_a_long_post_like_a_short_one(ana):
    texts = ["Preciso disso hoje, é urgente! " * 8, "Obrigada, adorei! " * 14] * 30
    numbered = enumerate(texts)
    payload = [{"message_id": f"m{n}", "from": f"+55119{n:08d}", "body": text} for n, text in numbered]
    status, receipt = await ana.post("/webhooks/whatsapp", payload)
    assert (status, receipt["received"]) == (200, 60)
    read = [(entry["classification"]["urgency"], entry["classification"]["sentiment"]) for entry in receipt["messages"]]
    short = [(await ana.post("/ai/classify-message", {"text": text}))[1] for text in texts[:2]]
    assert read == [(each["urgency"], each["sentiment"]) for each in short] * 30
