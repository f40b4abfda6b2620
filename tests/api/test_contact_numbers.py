"""A number with and without its ninth digit, or written another way, is one person's until it is parted."""

import asyncio

import pytest

from tests.api.merging import WITH, WITHOUT, contact, identity, merged, owners, unmerged, writes_mail


@pytest.mark.parametrize(("first", "second"), [(WITH, WITHOUT), (WITHOUT, WITH)])
async def test_with_and_without_the_ninth_digit_is_one_person(ana, first, second):
    one = await ana.hears("Oi", first)
    other = await ana.hears("Oi de novo", second)
    assert other["contact_id"] == one["contact_id"]
    assert other["conversation_id"] == one["conversation_id"]
    assert other["sender"]["handle"] == second

    known = await contact(ana, one["contact_id"])
    assert known["handle"] == first
    assert known["identities"] == [identity(first), identity(second)]
    assert [each["unread_count"] for each in await ana.conversations()] == [2]
    assert len(await ana.events("contact.created")) == 1


async def test_other_countries_and_landlines_keep_their_digits(ana):
    for one, other in (("+5491187654321", "+549987654321"), ("+551133334444", "+5511933334444")):
        first, second = await ana.hears("Oi", one), await ana.hears("Oi", other)
        assert first["contact_id"] != second["contact_id"]


@pytest.mark.parametrize(
    ("one", "other"), [(WITH, WITHOUT), ("+5215512345678", "+525512345678"), ("+541187654321", "+5491187654321")]
)
async def test_another_way_to_write_a_number_is_taken_too(ana, one, other):
    known = await ana.made("/contacts", {"handle": one})
    for body in ({"handle": other}, {"handle": "x@example.com", "identities": [identity(other)]}):
        status, problem = await ana.post("/contacts", body)
        assert (status, problem["code"]) == (409, "handle_taken")
    another = await ana.made("/contacts", {"handle": "y@example.com"})
    assert (await ana.patch(f"/contacts/{another['id']}", {"handle": other}))[0] == 409
    assert (await ana.hears("Oi", other))["contact_id"] == known["id"]
    changes = {"identities": [identity(one), identity(other)]}
    assert (await ana.patch(f"/contacts/{known['id']}", changes))[0] == 200, "both may be one's own"


async def test_both_ways_by_hand_at_once_are_one(ana):
    answers = await asyncio.gather(*(ana.post("/contacts", {"handle": (WITH, WITHOUT)[n % 2]}) for n in range(6)))
    assert sorted(status for status, _ in answers) == [201, 409, 409, 409, 409, 409]


async def test_both_ways_at_once_are_one_person(ana):
    taken = await asyncio.gather(*(ana.hears("Oi", (WITH, WITHOUT)[n % 2]) for n in range(10)))
    assert len({each["contact_id"] for each in taken}) == 1
    assert len({each["conversation_id"] for each in taken}) == 1


@pytest.mark.parametrize(("first", "second"), [(WITH, WITHOUT), (WITHOUT, WITH)])
async def test_parts_a_number_that_was_taken_for_another(ana, first, second):
    one = await ana.hears("Oi", first)
    await ana.hears("Oi, sou outro", second)
    elsewhere = await ana.hears("Também aqui", second, account="222")
    parted = await unmerged(ana, one["contact_id"])
    assert parted["id"] != one["contact_id"]
    assert (parted["handle"], parted["phone"], parted["identities"]) == (second, second, [identity(second)])
    assert (await contact(ana, one["contact_id"]))["identities"] == [identity(first)]
    assert await owners(ana) == {one["conversation_id"]: one["contact_id"], elsewhere["conversation_id"]: parted["id"]}

    # From now on they are two, also in a conversation that was begun under the other's number.
    heard = await ana.hears("Oi", second)
    assert heard["contact_id"] == parted["id"]
    assert heard["conversation_id"] not in {one["conversation_id"], elsewhere["conversation_id"]}
    assert (await ana.hears("Oi", first))["conversation_id"] == one["conversation_id"]
    assert (await ana.hears("Oi", first, account="222"))["contact_id"] == one["contact_id"]
    for each in (one["contact_id"], parted["id"]):
        assert (await ana.post(f"/contacts/{each}/unmerge"))[1]["code"] == "nothing_to_undo"


async def test_parting_leaves_the_handle_that_remains(ana):
    one = await ana.hears("Oi", WITH)
    await ana.hears("Oi", WITHOUT)
    status, _ = await ana.patch(f"/contacts/{one['contact_id']}", {"handle": WITHOUT})
    assert status == 200
    await ana.post(f"/contacts/{one['contact_id']}/unmerge")
    status, page = await ana.get("/contacts")
    assert all(each["identities"] == [identity(each["handle"])] for each in page["items"])


async def test_a_merge_is_undone_before_a_match(ana):
    one = await ana.hears("Oi", WITH)
    await ana.hears("Oi", WITHOUT)
    other, _ = await writes_mail(ana)
    await merged(ana, one["contact_id"], other)
    assert (await unmerged(ana, one["contact_id"]))["id"] == other
    assert (await unmerged(ana, one["contact_id"]))["handle"] == WITHOUT


async def test_a_match_survives_a_merge_and_its_undoing(ana):
    one = await ana.hears("Oi", WITH)
    await ana.hears("Oi", WITHOUT)
    kept, _ = await writes_mail(ana)
    await merged(ana, kept, one["contact_id"])
    await unmerged(ana, kept)
    assert (await unmerged(ana, one["contact_id"]))["handle"] == WITHOUT
