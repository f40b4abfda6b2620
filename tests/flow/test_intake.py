"""What else items do: duplicates, what comes along, what is ignored, wishes and states."""

from datetime import datetime
from uuid import UUID

from alfred.channels.item import Fact, InboundItem, Order, OrderItem, Referral, Sender, Thread
from tests.flow.taking_in import AT, LID, NUMBER, people


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


async def test_a_message_keeps_what_came_along(ana, hears, app_db):
    order = Order(catalog_id="c1", items=(OrderItem(sku="A", quantity=2, price="59.90", currency="BRL"),))
    first, last = Referral(source_type="ad", source_id="1"), Referral(source_type="ad", source_id="2")
    thread = Thread(message_id="<c@x>", in_reply_to="<b@x>", references="<a@x> <b@x>")
    taken = await hears(NUMBER, id="c@x", order=order, referral=first, subject="Pedido", thread=thread)
    await hears(NUMBER, id="d@x", referral=last, thread=Thread(message_id="<d@x>"))
    newest, message = await ana.messages(taken.conversation_id)
    assert message["order"] == order.model_dump(mode="json")
    assert (message["referral"]["source_id"], newest["referral"]["source_id"]) == ("1", "2")
    assert message["subject"] == "Pedido"
    await app_db.execute(f"begin; select app.act_as('{ana.id}')")
    row, later = await app_db.fetch(
        """select m.references_, c.first_referral, c.last_referral from messages m, contacts c
            where m.user_id = $1 and c.user_id = $1 order by m.external_id""",
        ana.id,
    )
    await app_db.execute("rollback")
    assert (row["references_"], later["references_"]) == ("<a@x> <b@x>", None)
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
