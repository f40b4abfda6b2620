"""Identities that a payload tells together are one person, until somebody parts them."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from alfred.channels.item import InboundItem, Sender
from tests.flow.taking_in import AT, LID, NUMBER, OTHER_LID, OTHER_NUMBER, USER, people
from tests.people import whatsapp


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


@pytest.mark.parametrize(("gone", "status"), [("contacts", 200), ("users", 401)])
async def test_who_is_erased_while_a_post_comes_is_met_anew_and_a_user_is_gone(ana, cluster, database, gone, status):
    """The post waits for the row that it refers to, and then finds it gone."""
    await ana.hears("oi", sender=OTHER_NUMBER, id="first")
    contact = await ana.made("/contacts", {"handle": NUMBER, "channel_type": "whatsapp", "name": "Mara"})
    root = await asyncpg.connect(cluster.superuser(database))
    async with root.transaction():
        key, value = ("contact_id", contact["id"]) if gone == "contacts" else ("user_id", ana.id)
        await root.execute(f"delete from {gone} where {key} = $1", value)
        posted = asyncio.create_task(ana.post("/webhooks/whatsapp", whatsapp("oi", NUMBER, id="second")))
        await asyncio.sleep(0.4)
        assert not posted.done()
    await root.close()
    answered, answer = await posted
    assert answered == status
    if gone == "contacts":
        assert answer["messages"][0]["contact_id"] != contact["id"]
