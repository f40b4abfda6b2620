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


async def marina(person, number="+5511900000012", **more):
    """Somebody who writes on WhatsApp: her contact and her conversation."""
    heard = await person.hears("Oi, quanto custa?", number, **more)
    return heard["contact_id"], heard["conversation_id"]


async def writes_mail(person, address="marina@example.com", name="Marina Q."):
    letter = {
        "from": f"{name} <{address}>",
        "to": "shop@example.com",
        "body": "Recebeu?",
        "message_id": f"<1{address}>",
    }
    status, receipt = await person.post("/webhooks/email", letter)
    assert status == 200, receipt
    return receipt["messages"][0]["contact_id"], receipt["messages"][0]["conversation_id"]


async def merged(person, kept, other):
    status, answer = await person.post(f"/contacts/{kept}/merge", {"contact_id": other})
    assert status == 200, answer
    return answer


async def unmerged(person, kept):
    status, answer = await person.post(f"/contacts/{kept}/unmerge")
    assert status == 200, answer
    return answer


async def owners(person):
    """Which conversation is whose."""
    return {each["id"]: each["contact"]["id"] for each in await person.conversations()}


async def test_merging_joins_all_and_fills_what_is_missing(ana):
    kept, chat = await marina(ana)
    other, mail = await writes_mail(ana)
    changes = {"notes": "Prefere à tarde", "settings": {"base_price": "120.00", "vip": True}}
    status, _ = await ana.patch(f"/contacts/{other}", changes)
    assert status == 200
    before = await contact(ana, kept)

    answer = await merged(ana, kept, other)
    assert answer == before | {
        "email": "marina@example.com",
        "notes": "Prefere à tarde",
        "identities": [identity("+5511900000012"), identity("marina@example.com", "email")],
        "settings": before["settings"] | {"base_price": "120.00"},
        "updated_at": answer["updated_at"],
    }
    assert answer == await contact(ana, kept)
    assert await owners(ana) == {chat: kept, mail: kept}
    assert {each["id"] for each in await ana.conversations(contact_id=kept)} == {chat, mail}

    assert (await ana.get(f"/contacts/{other}"))[0] == 404
    status, page = await ana.get("/contacts")
    assert [each["id"] for each in page["items"]] == [kept]

    again, its = await writes_mail(ana, "marina@example.com")
    assert (again, its) == (kept, mail)


async def test_undoing_a_merge_gives_back_everything_as_it_was(ana):
    kept, chat = await marina(ana)
    other, mail = await writes_mail(ana)
    settings = {"base_price": "120.00", "custom_price": "99.90", "preferred_tone": "friendly", "vip": True}
    await ana.patch(f"/contacts/{other}", {"notes": "Prefere à tarde", "settings": settings})
    one, two = await contact(ana, kept), await contact(ana, other)

    await merged(ana, kept, other)
    assert await unmerged(ana, kept) == two
    assert await contact(ana, other) == two
    left = await contact(ana, kept)
    assert left == one | {"updated_at": left["updated_at"]}
    assert await owners(ana) == {chat: kept, mail: other}

    status, problem = await ana.post(f"/contacts/{kept}/unmerge")
    assert (status, problem["code"]) == (409, "nothing_to_undo")


async def test_undoing_keeps_what_was_changed_since(ana):
    kept, _ = await marina(ana)
    other, _ = await writes_mail(ana)
    await ana.patch(f"/contacts/{other}", {"notes": "Prefere à tarde", "settings": {"base_price": "120"}})
    await merged(ana, kept, other)
    await ana.patch(f"/contacts/{kept}", {"notes": "Só de manhã", "settings": {"custom_price": "5"}})
    await unmerged(ana, kept)
    left = await contact(ana, kept)
    assert (left["notes"], left["email"]) == ("Só de manhã", None)
    assert (left["settings"]["base_price"], left["settings"]["custom_price"]) == (None, "5.00")


async def test_what_came_since_goes_with_its_identity(ana):
    kept, _ = await marina(ana)
    other, first = await marina(ana, WITH, name="Paulo")
    await merged(ana, kept, other)
    elsewhere = await ana.hears("Oi por aqui", WITH, account="222")
    variant = await ana.hears("Oi sem o nove", WITHOUT, account="333")
    assert elsewhere["contact_id"] == variant["contact_id"] == kept

    back = await unmerged(ana, kept)
    assert back["identities"] == [identity(WITH), identity(WITHOUT)]
    mine = await owners(ana)
    assert [mine[each] for each in (first, elsewhere["conversation_id"], variant["conversation_id"])] == [other] * 3
    assert list(mine.values()).count(kept) == 1


async def test_events_of_a_channel_that_was_removed_since_go_back_too(ana):
    kept, _ = await marina(ana)
    other, mail = await writes_mail(ana)
    await merged(ana, kept, other)
    await ana.patch(f"/conversations/{mail}", {"tags": ["mesa"]})
    channel = next(each["channel"]["id"] for each in await ana.conversations() if each["id"] == mail)
    assert (await ana.delete(f"/channels/{channel}"))[0] == 204
    await unmerged(ana, kept)
    told = [each for each in await ana.events() if each["conversation_id"] == mail]
    assert "conversation.updated" in {each["type"] for each in told}
    assert {each["contact_id"] for each in told} == {other}


async def test_prices_in_another_currency_are_not_mixed(ana):
    kept = await ana.made("/contacts", {"handle": "+5511900000001", "settings": {"base_price": "10"}})
    other = await ana.made(
        "/contacts", {"handle": "+5511900000002", "settings": {"custom_price": "8", "currency": "USD"}}
    )
    settings = (await merged(ana, kept["id"], other["id"]))["settings"]
    assert (settings["base_price"], settings["custom_price"], settings["currency"]) == ("10.00", None, "BRL")

    unpriced = await ana.made("/contacts", {"handle": "+5511900000003"})
    await unmerged(ana, kept["id"])
    settings = (await merged(ana, unpriced["id"], other["id"]))["settings"]
    assert (settings["custom_price"], settings["currency"]) == ("8.00", "USD")


async def test_merges_are_undone_from_the_last_one(ana):
    people = [(await ana.made("/contacts", {"handle": f"+551190000002{n}", "notes": f"n{n}"})) for n in range(4)]
    a, b, c, d = (each["id"] for each in people)
    await merged(ana, a, b)
    await merged(ana, c, d)
    await merged(ana, c, a)
    assert len((await contact(ana, c))["identities"]) == 4

    assert (await unmerged(ana, c))["id"] == a
    assert [each["value"] for each in (await contact(ana, a))["identities"]] == ["+5511900000020", "+5511900000021"]
    assert (await unmerged(ana, c))["id"] == d
    assert (await unmerged(ana, a))["id"] == b
    _, page = await ana.get("/contacts")
    assert sorted(page["items"], key=lambda each: each["handle"]) == [
        each | {"updated_at": now["updated_at"]}
        for each, now in zip(people, sorted(page["items"], key=lambda each: each["handle"]), strict=True)
    ]


async def test_notifications_and_events_move_and_come_back(ana, eventually):
    kept, _ = await marina(ana)
    heard = await ana.hears("Preciso disso hoje, é urgente!", "+5511900000099")
    other = heard["contact_id"]
    told = await eventually(ana.notifications)
    assert [each["contact_id"] for each in told] == [other]
    await merged(ana, kept, other)
    assert [each["contact_id"] for each in await ana.notifications()] == [kept]
    await unmerged(ana, kept)
    assert [each["contact_id"] for each in await ana.notifications()] == [other]

    # The log goes with whom it is about: forgetting the one leaves the other's.
    await merged(ana, kept, other)
    await unmerged(ana, kept)
    assert (await ana.delete(f"/contacts/{other}"))[0] == 204
    assert await ana.notifications() == []
    assert {each["type"] for each in await ana.events()} >= {"contact.created", "message.received"}
    assert await ana.events(conversation_id=heard["conversation_id"]) == []


async def whose(person, task):
    return (await person.get(f"/tasks/{task['id']}"))[1]["contact_id"]


async def test_tasks_move_and_come_back(ana):
    kept, _ = await marina(ana)
    other, conversation = await marina(ana, "+5511900000099")
    task = await ana.made("/tasks", {"title": "Ligar", "contact_id": other})
    await merged(ana, kept, other)
    assert await whose(ana, task) == kept
    own = await ana.made("/tasks", {"title": "Visitar", "contact_id": kept})
    since = await ana.made("/tasks", {"title": "Enviar", "contact_id": kept, "conversation_id": conversation})
    await unmerged(ana, kept)
    assert [await whose(ana, each) for each in (task, own, since)] == [other, kept, other]


async def test_undoing_leaves_tasks_that_were_somebody_elses(ana):
    kept, _ = await marina(ana)
    other, conversation = await marina(ana, "+5511900000099")
    third, _ = await marina(ana, "+5511900000077")
    before = await ana.made("/tasks", {"title": "Medir", "contact_id": kept, "conversation_id": conversation})
    given = await ana.made("/tasks", {"title": "Ligar", "contact_id": other})
    await merged(ana, kept, other)
    await ana.patch(f"/tasks/{given['id']}", {"contact_id": third})
    since = await ana.made("/tasks", {"title": "Enviar", "contact_id": third, "conversation_id": conversation})
    await unmerged(ana, kept)
    assert [await whose(ana, each) for each in (before, given, since)] == [kept, third, third]


async def test_deleting_the_kept_one_deletes_both_for_good(ana, owner_db):
    kept, _ = await marina(ana)
    other, _ = await writes_mail(ana)
    await merged(ana, kept, other)
    assert (await ana.delete(f"/contacts/{kept}"))[0] == 204
    assert await ana.conversations() == []
    assert await ana.events() == []
    async with owner_db.transaction():
        await owner_db.execute(f"select set_config('app.user_id', '{ana.id}', true)")
        assert await owner_db.fetchval("select count(*) from contact_merges") == 0


async def test_an_identity_that_somebody_else_has_now_cannot_come_back(ana):
    kept, _ = await marina(ana)
    other, _ = await writes_mail(ana)
    await merged(ana, kept, other)
    status, _ = await ana.patch(f"/contacts/{kept}", {"identities": [identity("+5511900000012")]})
    assert status == 200
    taker = await ana.made("/contacts", {"handle": "marina@example.com"})
    status, problem = await ana.post(f"/contacts/{kept}/unmerge")
    assert (status, problem["code"]) == (409, "handle_taken")

    assert (await ana.delete(f"/contacts/{taker['id']}"))[0] == 204
    assert (await unmerged(ana, kept))["identities"] == [identity("marina@example.com", "email")]


async def test_the_kept_one_keeps_a_handle(ana):
    kept, _ = await marina(ana)
    other, _ = await writes_mail(ana)
    await merged(ana, kept, other)
    await ana.patch(f"/contacts/{kept}", {"identities": [identity("marina@example.com", "email")]})
    status, problem = await ana.post(f"/contacts/{kept}/unmerge")
    assert (status, problem["code"]) == (409, "last_identity")

    await ana.patch(
        f"/contacts/{kept}", {"identities": [identity("marina@example.com", "email"), identity("psid", "messenger")]}
    )
    assert (await contact(ana, kept))["handle"] == "marina@example.com"
    await unmerged(ana, kept)
    left = await contact(ana, kept)
    assert (left["handle"], left["channel_type"]) == ("psid", "messenger")


async def test_only_with_a_contact_that_is_there(ana, bruno):
    kept, _ = await marina(ana)
    his, _ = await marina(bruno)
    nobody = "01930d3c-7c1e-7b2a-9a41-5f6f3a1c2d4e"
    for path, body, expected in (
        (kept, {"contact_id": kept}, (422, "/contact_id")),
        (kept, {"contact_id": nobody}, (422, "/contact_id")),
        (kept, {"contact_id": his}, (422, "/contact_id")),
        (kept, {}, (422, "/contact_id")),
        (kept, {"contact_id": "x"}, (422, "/contact_id")),
        (kept, {"contact_id": his, "force": True}, (422, "/force")),
        (nobody, {"contact_id": kept}, (404, None)),
        (his, {"contact_id": kept}, (404, None)),
    ):
        status, problem = await ana.post(f"/contacts/{path}/merge", body)
        assert (status, problem.get("errors", [{"pointer": None}])[0]["pointer"]) == expected
    for path in (nobody, his):
        assert (await ana.post(f"/contacts/{path}/unmerge"))[0] == 404
    assert (await bruno.post(f"/contacts/{his}/unmerge"))[1]["code"] == "nothing_to_undo"


async def test_messages_that_come_during_a_merge_find_a_contact(ana):
    kept, _ = await marina(ana)
    other, _ = await marina(ana, WITH)

    async def flood(number):
        for n in range(12):
            await ana.hears(f"Mensagem {n}", number, account=str(n % 4))

    async def back_and_forth():
        for _ in range(6):
            await merged(ana, kept, other)
            await unmerged(ana, kept)

    await asyncio.gather(flood(WITH), flood(WITHOUT), flood("+5511900000012"), back_and_forth())
    _, page = await ana.get("/contacts")
    assert {each["id"]: len(each["identities"]) for each in page["items"]} == {kept: 1, other: 2}
    mine = await owners(ana)
    handles = {each["id"]: each["contact"]["handle"] for each in await ana.conversations()}
    assert all(mine[each] == (kept if handles[each] == "+5511900000012" else other) for each in mine)


async def test_merging_twice_at_once_happens_once(ana):
    kept, _ = await marina(ana)
    other, _ = await writes_mail(ana)
    answers = await asyncio.gather(*(ana.post(f"/contacts/{kept}/merge", {"contact_id": other}) for _ in range(4)),
                                   ana.post(f"/contacts/{other}/merge", {"contact_id": kept}))  # fmt: skip
    assert sorted(status for status, _ in answers).count(200) == 1


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
