"""One person: the ninth digit, merging two contacts, and undoing both."""

import asyncio

import pytest

WITH, WITHOUT = "+5511987654321", "+551187654321"


def identity(value, channel_type="whatsapp"):
    return {"channel_type": channel_type, "value": value}


async def contact(person, contact_id):
    status, found = await person.get(f"/contacts/{contact_id}")
    assert status == 200, found
    return found


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


async def test_both_ways_at_once_are_one_person(ana):
    taken = await asyncio.gather(*(ana.hears("Oi", (WITH, WITHOUT)[n % 2]) for n in range(10)))
    assert len({each["contact_id"] for each in taken}) == 1
    assert len({each["conversation_id"] for each in taken}) == 1
