"""What items do to people, conversations and messages, whatever provider told them: one person, echoes, sides."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from alfred.ai.builtin.provider import MockAIProvider
from alfred.channels.item import Fact, Identity, InboundItem, Order, OrderItem, Referral, Sender, Thread
from alfred.crm.inbox import Inbox
from alfred.db import Database

NUMBER, OTHER_NUMBER = "+5511900000012", "+5511900000013"
LID, OTHER_LID = "209911223344@lid", "209911223355@lid"
USER = "BR.AbC123"
AT = datetime(2026, 1, 6, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
async def inbox(cluster, database):
    pool = Database(cluster.app(database), size=6)
    await pool.open()
    inbox = Inbox(pool, MockAIProvider(), lambda _: None)
    writing = asyncio.create_task(inbox.run())
    yield inbox
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await pool.close()


@pytest.fixture
def hears(inbox, ana):
    """A customer's item arrives for ana; what became of it."""

    async def hear(handle=NUMBER, *others, id, kind="message", text="oi", at=AT, **more):
        item = InboundItem(
            kind=kind, channel_type="whatsapp", provider="evolution", external_id=id, sender=Sender(handle=handle),
            identities=tuple(map(identity, others)), recipient="loja", sent_at=at, text=text, raw={"id": id}, **more,
        )  # fmt: skip
        (taken,) = await inbox.take_in(UUID(ana.id), [item])
        return taken

    return hear


def identity(value):
    kind = "number" if value.startswith("+") else "lid" if value.endswith("@lid") else "user_id"
    return Identity(kind=kind, value=value)


async def people(person):
    """Each contact's identities by value."""
    _, page = await person.get("/contacts")
    return sorted(sorted(each["value"] for each in contact["identities"]) for contact in page["items"])


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
async def test_identities_told_together_are_one_person_whichever_comes_first(ana, hears, order):
    told = [(NUMBER,), (NUMBER, LID), (LID,)]
    taken = [await hears(*told[step], id=f"m{step}") for step in order]
    assert await people(ana) == [[NUMBER, LID]]
    again = [await hears(*each, id=f"n{number}") for number, each in enumerate(told)]
    assert len({each.conversation_id for each in again}) == 1
    assert {each.contact_id for each in again} == {taken[0].contact_id}, "the older one stays"
    assert again[0].conversation_id == taken[0].conversation_id


async def test_merging_what_was_two_is_told_and_can_be_undone(ana, hears):
    older, newer = await hears(LID, id="a"), await hears(NUMBER, id="b")
    assert await people(ana) == [[NUMBER], [LID]]
    joined = await hears(NUMBER, LID, id="c")
    assert (joined.contact_id, joined.conversation_id) == (older.contact_id, older.conversation_id)
    (event,) = await ana.events("contact.merged")
    assert (event["contact_id"], event["payload"]["merged_id"]) == (str(older.contact_id), str(newer.contact_id))
    assert event["payload"]["automatic"] is True

    status, back = await ana.post(f"/contacts/{older.contact_id}/unmerge")
    assert (status, back["id"], back["handle"]) == (200, str(newer.contact_id), NUMBER)
    assert await people(ana) == [[NUMBER], [LID]]
    assert {each["contact"]["id"] for each in await ana.conversations()} == {
        str(older.contact_id),
        str(newer.contact_id),
    }


async def test_what_unmerge_has_parted_stays_parted(ana, hears):
    older, newer = await hears(LID, id="a"), await hears(NUMBER, id="b")
    await hears(NUMBER, LID, id="c")
    await ana.post(f"/contacts/{older.contact_id}/unmerge")
    for number in range(2):
        again = await hears(NUMBER, LID, id=f"d{number}")
        assert (again.contact_id, again.conversation_id) == (newer.contact_id, newer.conversation_id)
    assert await people(ana) == [[NUMBER], [LID]]
    # Neither a third identity that is told beside each of them joins the two.
    await hears(NUMBER, USER, id="e")
    await hears(NUMBER, LID, USER, id="f")
    assert await people(ana) == [[NUMBER, USER], [LID]]
    status, _ = await ana.post(f"/contacts/{older.contact_id}/merge", {"contact_id": str(newer.contact_id)})
    assert status == 200
    assert (await hears(NUMBER, LID, id="g")).contact_id == older.contact_id


async def test_an_identity_that_was_only_learnt_can_be_parted_too(ana, hears):
    taken = await hears(NUMBER, LID, id="a")
    status, parted = await ana.post(f"/contacts/{taken.contact_id}/unmerge")
    assert (status, parted["handle"]) == (200, LID)
    await hears(NUMBER, LID, id="b")
    assert await people(ana) == [[NUMBER], [LID]]


async def test_a_number_that_changed_hands_is_not_joined(ana, hears):
    first = await hears(NUMBER, LID, id="a")
    second = await hears(NUMBER, OTHER_LID, id="b")
    assert second.contact_id == first.contact_id, "the message goes by its handle"
    known = await hears(OTHER_NUMBER, OTHER_LID, id="c")
    third = await hears(NUMBER, OTHER_LID, id="d")
    assert (third.contact_id, known.contact_id == first.contact_id) == (first.contact_id, False)
    assert await people(ana) == [[NUMBER, LID], [OTHER_NUMBER, OTHER_LID]]
    assert await ana.events("contact.merged") == []


async def test_a_new_number_does_not_take_somebody_who_has_one(ana, hears):
    first = await hears(NUMBER, LID, id="a")
    moved = await hears(OTHER_NUMBER, LID, id="b")
    assert moved.contact_id != first.contact_id
    assert await people(ana) == [[NUMBER, LID], [OTHER_NUMBER]]


async def test_both_ways_to_write_the_number_join(ana, hears):
    with_nine, without = "+5511987654321", "+551187654321"
    first = await hears(with_nine, id="a")
    second = await hears(without, LID, id="b")
    third = await hears(LID, id="c")
    assert {first.contact_id} == {second.contact_id, third.contact_id}
    assert {first.conversation_id} == {second.conversation_id, third.conversation_id}


async def test_three_kinds_are_one_person(ana, hears):
    await hears(USER, id="a")
    await hears(LID, id="b")
    joined = await hears(NUMBER, LID, USER, id="c")
    assert len(await people(ana)) == 1
    for number, handle in enumerate((USER, LID, NUMBER)):
        assert (await hears(handle, id=f"d{number}")).conversation_id == joined.conversation_id
    assert len(await ana.events("contact.merged")) == 1


async def test_without_a_number_nothing_is_joined(ana, hears):
    await hears(LID, USER, id="a")
    assert await people(ana) == [[LID]]


async def test_many_posts_at_once_make_one_person(ana, hears):
    told = [(NUMBER,), (NUMBER, LID), (LID,), (LID,), (NUMBER, LID)]
    await asyncio.gather(*(hears(*told[n % 5], id=f"m{n}") for n in range(20)))
    await hears(NUMBER, LID, id="last")
    assert await people(ana) == [[NUMBER, LID]]
    messages = [each for found in await ana.conversations() for each in await ana.messages(found["id"])]
    assert len(messages) == 21


async def test_a_duplicate_makes_nothing_whatever_else_it_says(ana, hears):
    first = await hears(NUMBER, id="same")
    before = await ana.conversations(), await ana.events(), await people(ana)
    again = await hears(LID, id="same", text="anything else")
    assert (again.duplicate, again.message_id, again.contact_id) == (True, first.message_id, first.contact_id)
    assert (await ana.conversations(), await ana.events(), await people(ana)) == before


async def test_a_duplicate_that_names_no_account_makes_no_channel(ana, inbox, hears):
    first = await hears(NUMBER, id="same")
    item = InboundItem(
        kind="message", channel_type="whatsapp", external_id="same", sender=Sender(handle=LID), text="oi"
    )
    (again,) = await inbox.take_in(UUID(ana.id), [item])
    assert (again.duplicate, again.message_id) == (True, first.message_id)
    _, page = await ana.get("/channels")
    assert len(page["items"]) == 1


async def test_batches_of_one_tenant_do_not_deadlock(ana, inbox):
    """Duplicates under other handles, in both orders at once: their conversations are locked in one order."""

    def item(handle, id):
        return InboundItem(
            kind="message", channel_type="whatsapp", external_id=id, sender=Sender(handle=handle), recipient="loja",
            sent_at=AT, text="oi",
        )  # fmt: skip

    await inbox.take_in(UUID(ana.id), [item("+551133330001", "a0"), item("+551133330009", "b0")])
    posts = [
        [item("+551133330001", f"a{n}"), item("+551133330005", "b0")] if n % 2 else
        [item("+551133330009", f"b{n}"), item("+551133330002", "a0")]
        for n in range(1, 30)
    ]  # fmt: skip
    taken = await asyncio.gather(*(inbox.take_in(UUID(ana.id), post) for post in posts))
    assert all(post[1].duplicate and not post[0].duplicate for post in taken)
    assert len(await people(ana)) == 2


async def test_an_echo_is_an_outbound_message(ana, hears, eventually):
    heard = await hears(NUMBER, id="in", text="Preciso disso hoje, é urgente")
    await ana.post(f"/conversations/{heard.conversation_id}/read")
    later = AT.replace(hour=13)
    echo = await hears(NUMBER, id="echo", kind="echo", text="Já vai", at=later)
    assert (echo.duplicate, echo.classification, echo.conversation_id) == (False, None, heard.conversation_id)
    message = (await ana.messages(heard.conversation_id))[0]
    assert (message["id"], message["body"], message["direction"]) == (str(echo.message_id), "Já vai", "outbound")
    assert (message["status"], message["author"], message["source"]) == ("sent", "person", "native_app")
    (shown,) = await ana.conversations()
    assert (shown["unread_count"], shown["snippet"], shown["last_message_direction"]) == (0, "Já vai", "outbound")
    assert shown["urgency"] == "high", "of the last inbound message"
    (event,) = await ana.events("message.sent")
    assert event["message_id"] == str(echo.message_id)
    assert len(await ana.events("message.received")) == 1

    again = await hears(NUMBER, id="echo", kind="echo", text="Já vai", at=later)
    assert (again.duplicate, again.message_id) == (True, echo.message_id)
    status, told = await ana.post(
        f"/conversations/{heard.conversation_id}/messages", {"body": "Já vai", "external_id": "echo"}
    )
    assert (status, told["id"]) == (200, str(echo.message_id))
    assert len(await ana.messages(heard.conversation_id)) == 2


async def test_an_echo_makes_whom_it_was_written_to(ana, hears):
    echo = await hears(NUMBER, id="first", kind="echo", text="Bom dia!")
    (shown,) = await ana.conversations()
    assert (shown["id"], shown["unread_count"], shown["status"]) == (str(echo.conversation_id), 0, "open")
    assert (await hears(NUMBER, id="answer")).conversation_id == echo.conversation_id
    assert await ana.notifications() == []


async def test_an_echo_does_not_reopen(ana, hears):
    heard = await hears(NUMBER, id="in")
    await ana.patch(f"/conversations/{heard.conversation_id}", {"status": "closed"})
    await hears(NUMBER, id="echo", kind="echo")
    assert [each["status"] for each in await ana.conversations()] == ["closed"]


async def test_an_echo_of_what_the_api_knows_is_a_duplicate(ana, hears):
    heard = await hears(NUMBER, id="in")
    sent = await ana.made(f"/conversations/{heard.conversation_id}/messages", {"body": "Oi!", "external_id": "x1"})
    echo = await hears(NUMBER, id="x1", kind="echo", text="Oi!")
    assert (echo.duplicate, str(echo.message_id)) == (True, sent["id"])
    assert sent["source"] == "api"


async def test_statuses_and_own_changes_follow_an_echo(ana, hears):
    await hears(NUMBER, id="e1", kind="status", status="delivered", text=None, at=AT.replace(minute=1))
    echo = await hears(NUMBER, id="e1", kind="echo", text="R$ 100")
    assert (await ana.messages(echo.conversation_id))[0]["status"] == "delivered"
    await hears(NUMBER, id="e1", kind="status", status="edited", text="R$ 90", from_business=True)
    (message,) = await ana.messages(echo.conversation_id)
    assert (message["body"], message["classification"], message["edited_at"] is not None) == ("R$ 90", None, True)
    await hears(NUMBER, id="e1", kind="status", status="deleted", text=None, from_business=True)
    (message,) = await ana.messages(echo.conversation_id)
    assert (message["body"], message["deleted_at"] is not None) == ("", True)


@pytest.mark.parametrize(("status", "text"), [("edited", "R$ 1"), ("deleted", None)])
async def test_a_customer_never_changes_ours(ana, hears, status, text):
    echo = await hears(NUMBER, id="offer", kind="echo", text="R$ 100")
    await hears(NUMBER, id="offer", kind="status", status=status, text=text, from_business=False)
    (message,) = await ana.messages(echo.conversation_id)
    assert (message["body"], message["edited_at"], message["deleted_at"]) == ("R$ 100", None, None)
    # What was forged does not stand in the way of our own word.
    await hears(NUMBER, id="offer", kind="status", status=status, text=text, from_business=True)
    (message,) = await ana.messages(echo.conversation_id)
    assert (message["edited_at"] or message["deleted_at"]) is not None


@pytest.mark.parametrize("side", [True, False])
async def test_nor_before_the_message_is_there(ana, hears, side):
    kind = "message" if side else "echo"
    await hears(NUMBER, id="m", kind="status", status="deleted", text=None, from_business=side)
    taken = await hears(NUMBER, id="m", kind=kind, text="R$ 100")
    (message,) = await ana.messages(taken.conversation_id)
    assert (message["body"], message["deleted_at"]) == ("R$ 100", None)


async def test_where_the_side_is_not_told_it_may_be_either(ana, hears):
    echo = await hears(NUMBER, id="m", kind="echo", text="R$ 100")
    await hears(NUMBER, id="m", kind="status", status="deleted", text=None)
    (message,) = await ana.messages(echo.conversation_id)
    assert message["deleted_at"] is not None


async def test_a_message_keeps_what_came_along(ana, hears, app_db):
    order = Order(catalog_id="c1", items=(OrderItem(sku="A", quantity=2, price="59.90", currency="BRL"),))
    first, last = Referral(source_type="ad", source_id="1"), Referral(source_type="ad", source_id="2")
    thread = Thread(message_id="<c@x>", in_reply_to="<b@x>", references="<a@x> <b@x>")
    taken = await hears(NUMBER, id="a", order=order, referral=first, subject="Pedido", thread=thread)
    await hears(NUMBER, id="b", referral=last)
    newest, message = await ana.messages(taken.conversation_id)
    assert message["order"] == order.model_dump(mode="json")
    assert (message["referral"]["source_id"], newest["referral"]["source_id"]) == ("1", "2")
    assert message["subject"] == "Pedido"
    await app_db.execute(f"begin; select app.act_as('{ana.id}')")
    row = await app_db.fetchrow(
        """select m.references_, c.first_referral, c.last_referral from messages m, contacts c
            where m.user_id = $1 and c.user_id = $1 and m.external_id = 'a'""",
        ana.id,
    )
    await app_db.execute("rollback")
    assert row["references_"] == "<a@x> <b@x> <c@x>"
    assert (row["first_referral"]["source_id"], row["last_referral"]["source_id"]) == ("1", "2")


async def test_what_is_ignored_is_kept_with_its_reason(ana, bruno, hears):
    await hears(None, id=None, kind="ignored", ignored_kind="group", reason="A message in a group.")
    _, page = await ana.get("/webhooks/ignored")
    (item,) = page["items"]
    assert item | {"id": 0, "received_at": 0} == {
        "id": 0, "channel": "whatsapp", "provider": "evolution", "kind": "group", "reason": "A message in a group.",
        "payload": {"id": None}, "received_at": 0,
    }  # fmt: skip
    assert (await bruno.get("/webhooks/ignored"))[1]["items"] == []


async def test_of_what_is_ignored_the_newest_thousand_are_kept(ana, inbox):
    def ignored(number):
        return InboundItem(kind="ignored", channel_type="whatsapp", raw=number, ignored_kind="presence", reason="No.")

    for start in range(0, 1100, 550):
        await inbox.take_in(UUID(ana.id), [ignored(start + number) for number in range(550)])
    kept, path = [], "/webhooks/ignored?limit=200"
    while path:
        _, page = await ana.get(path)
        kept += [item["payload"] for item in page["items"]]
        path = page["next"]
    assert kept == list(range(1099, 99, -1))


async def test_an_opt_out_is_the_contacts(ana, inbox, hears):
    taken = await hears(NUMBER, LID, id="a")

    async def wishes(type, at):
        fact = Fact(type=type, about="contact", subject=LID, at=at)
        item = InboundItem(
            kind="ignored", channel_type="whatsapp", ignored_kind="preferences", reason="x", facts=(fact,)
        )
        await inbox.take_in(UUID(ana.id), [item])
        return (await ana.get(f"/contacts/{taken.contact_id}"))[1]["opted_out_at"]

    assert await wishes("opt_out", AT) == "2026-01-06T12:00:00Z"
    assert [each["id"] for each in (await ana.get("/contacts", opted_out=True))[1]["items"]] == [str(taken.contact_id)]
    assert (await ana.get("/contacts", opted_out=False))[1]["items"] == []
    assert await wishes("opt_in", AT.replace(hour=11)) == "2026-01-06T12:00:00Z", "an older word"
    assert await wishes("opt_in", AT.replace(hour=13)) is None
    told = [each["payload"]["opted_out_at"] for each in await ana.events("contact.updated")]
    assert [at and datetime.fromisoformat(at) for at in told] == [None, AT]

    await wishes("opt_out", AT)
    status, changed = await ana.patch(f"/contacts/{taken.contact_id}", {"opted_out_at": None})
    assert (status, changed["opted_out_at"]) == (200, None)


async def test_a_state_of_an_account_is_told_when_it_changes(ana, inbox):
    async def says(type, word, at):
        fact = Fact(type=type, about="connection", provider_code=word, detail=f"The session is {word}.", at=at)
        item = InboundItem(
            kind="ignored", channel_type="whatsapp", provider="evolution", recipient="loja", ignored_kind="connection",
            reason="x", facts=(fact,),
        )  # fmt: skip
        await inbox.take_in(UUID(ana.id), [item])

    await says("channel_recovered", "open", AT)
    await says("channel_error", "close", AT.replace(minute=1))
    await says("channel_error", "close", AT.replace(minute=2))
    await says("channel_recovered", "open", AT.replace(minute=3))
    (error,), (recovered,) = await ana.events("channel.error"), await ana.events("channel.recovered")
    assert (error["payload"]["account"], error["payload"]["provider_code"]) == ("loja", "close")
    assert recovered["payload"]["detail"] == "The session is open."
    assert (await ana.get("/channels"))[1]["items"] == [], "a state makes no channel"


async def test_the_payload_of_a_message_is_shown_as_posted(ana, bruno, hears):
    taken = await hears(NUMBER, id="a")
    assert await ana.get(f"/messages/{taken.message_id}/payload") == (200, {"id": "a"})
    assert (await bruno.get(f"/messages/{taken.message_id}/payload"))[0] == 404
    await hears(NUMBER, id="a", kind="status", status="deleted", text=None)
    assert (await ana.get(f"/messages/{taken.message_id}/payload"))[0] == 404
