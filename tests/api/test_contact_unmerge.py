"""Undoing a merge: each has again what was its own, and what has come since."""

from tests.api.merging import WITH, WITHOUT, contact, identity, marina, merged, owners, unmerged, writes_mail


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
