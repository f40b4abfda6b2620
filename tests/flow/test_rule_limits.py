"""How far rules go: not too many answers, nothing by their own words, no chain without an end."""

from datetime import UTC, datetime, timedelta

from tests.flow.rules import DAY, matches, outbound, rule, says, tasks


async def test_answers_a_conversation_once_in_ten_minutes(shop, all_done):
    ana = shop.ana
    made = await rule(ana, {"action": "send_reply", "body": "Um"}, {"action": "send_reply", "body": "De novo"},
                      when=says("oi"))  # fmt: skip
    await rule(ana, {"action": "send_reply", "body": "Dois"}, when=says("oi"))
    one, two = [await ana.hears("oi", sender=f"+551190000000{n}") for n in (1, 2)]
    for _ in range(3):
        await ana.hears("oi", sender="+5511900000001")
    await all_done(ana)
    assert await outbound(ana, one) == ["Um", "Dois"]
    assert await outbound(ana, two) == ["Um", "Dois"]
    assert len(await matches(ana, made["id"])) == 5

    for minutes, answers in ((9, ["Um", "Dois"]), (2, ["Um", "Dois", "Um", "Dois"])):
        await shop.superuser.execute(
            "update rule_matches set matched_at = matched_at - $1::interval", timedelta(minutes=minutes)
        )
        await ana.hears("oi", sender="+5511900000001")
        await all_done(ana)
        assert await outbound(ana, one) == answers


async def test_its_own_words_fire_nothing(ana, all_done):
    await rule(ana, {"action": "send_reply", "body": "oi oi"}, when=says("oi"))
    echo = await rule(ana, {"action": "create_task", "title": "x"}, when=says("oi"))
    entry = await ana.hears("oi")
    await ana.post(f"/conversations/{entry['conversation_id']}/messages", {"body": "oi"})
    await all_done(ana)
    assert len(await matches(ana, echo["id"])) == 1


async def test_tasks_that_make_tasks_end(shop, all_done):
    """Each task lapses at once, and the rule makes the next: three in a row, and no more."""
    ana = shop.ana
    made = await rule(ana, {"action": "create_task", "title": "de novo", "due_in": "PT1S"}, trigger="task.overdue")
    await ana.made("/tasks", {"title": "primeira", "due_date": "2030-05-07"})
    lapsed = []
    for _ in range(8):
        lapsed.append(await shop.scans.overdue())
        shop.clock.now += DAY
        await all_done(ana)
    assert lapsed == [1, 1, 1, 1, 0, 0, 0, 0]
    assert len(await matches(ana, made["id"])) == 3
    assert sorted(each["title"] for each in await tasks(ana)) == ["de novo"] * 3 + ["primeira"]

    await ana.made("/tasks", {"title": "outra", "due_date": "2030-05-07"})
    assert await shop.scans.overdue() == 1
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 4


async def test_a_rule_cannot_keep_a_silent_customer_company_for_ever(shop, all_done):
    """What a rule writes into a silence does not begin a new one; what the customer writes does."""
    ana = shop.ana
    await rule(ana, {"action": "send_reply", "body": "Ainda está aí?"}, trigger="lead.stalled")
    entry = await ana.hears("oi", at=int(datetime(2024, 5, 1, tzinfo=UTC).timestamp()))

    async def silences():
        return len(await ana.events("lead.stalled", conversation_id=entry["conversation_id"]))

    shop.clock.now = datetime(2024, 5, 6, tzinfo=UTC)
    await shop.scans.stalled()
    await all_done(ana)
    assert (await silences(), await outbound(ana, entry)) == (1, ["Ainda está aí?"])

    shop.clock.now = datetime.now(UTC) + 30 * DAY
    await shop.scans.stalled()
    await all_done(ana)
    assert (await silences(), await outbound(ana, entry)) == (1, ["Ainda está aí?"])

    await ana.hears("estou", at=int(datetime.now(UTC).timestamp()) + 5)
    await shop.scans.stalled()
    assert await silences() == 2
