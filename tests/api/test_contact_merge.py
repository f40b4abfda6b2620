"""Two contacts become one: everything goes over, what is missing is filled in."""

import asyncio

from tests.api.merging import WITH, WITHOUT, contact, identity, marina, merged, owners, unmerged, writes_mail


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
