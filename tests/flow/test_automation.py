"""From an event to what rules do: each action, each trigger, once, and no further."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from alfred import background
from alfred.crm.automation import told
from alfred.crm.scans import Scans
from alfred.db import Database
from alfred.rules.actions import Notify, SendReply
from tests.conftest import serving
from tests.people import Person
from tests.pure.payloads import cloud
from tests.pure.payloads import says as cloud_message

ALWAYS = {"field": "conversation.unread_count", "op": "gte", "value": 0}
URGENT = "Preciso disso hoje, é urgente!"
NOTIFY = {"action": "notify"}
DAY = timedelta(days=1)


def says(*words):
    return {"field": "message.text", "op": "contains_any", "value": list(words)}


async def rule(person, *actions, when=ALWAYS, trigger="message.received", **more):
    compiled = {"version": 1, "trigger": trigger, "when": when, "then": list(actions)}
    return await person.made("/rules", {"name": "x", "compiled": compiled, **more})


async def matches(person, rule_id=None):
    """What rules have fired on, oldest first."""
    events = await person.events("rule.matched", limit=200)
    return [each for each in events[::-1] if rule_id in {None, each["payload"]["rule_id"]}]


async def tasks(person):
    return (await person.get("/tasks", limit=200))[1]["items"]


async def outbound(person, entry):
    found = await person.messages(entry["conversation_id"])
    return [each["body"] for each in found[::-1] if each["direction"] == "outbound"]


@pytest.fixture
def all_done(eventually):
    """Wait until everything said so far was acted upon: a last message's match comes behind all others."""

    async def wait(person):
        last = await rule(person, NOTIFY, when=says("ponto final"), name="last")
        await person.hears("Ponto final.", sender="+5511900009999")
        assert await eventually(lambda: matches(person, last["id"]))
        assert await person.delete(f"/rules/{last['id']}") == (204, None)

    return wait


@pytest.fixture
async def shop(cluster, http, monkeypatch):
    """A database of its own: a user, a scanner with a clock, a superuser, and the login."""
    monkeypatch.setattr(background, "_scans", lambda _: ())  # one looks at a time: here the test alone
    name = cluster.copy()
    database = Database(cluster.app(name), size=4)
    await database.open()
    clock = Clock()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name), stalled_after=10**9) as address:
        ana = await Person.sign_up(http, address)
        yield Shop(ana, Scans(database, lambda _: None, clock=clock, stalled_after=3 * 86_400), clock, superuser,
                   cluster.app(name))  # fmt: skip
    await superuser.close()
    await database.close()


class Clock:
    now = datetime(2030, 5, 8, 12, tzinfo=UTC)

    def __call__(self):
        return self.now


class Shop:
    def __init__(self, ana, scans, clock, superuser, dsn):
        self.ana, self.scans, self.clock, self.superuser, self.dsn = ana, scans, clock, superuser, dsn

    @contextlib.asynccontextmanager
    async def holding_up(self, table):
        """Whoever wants to write into this table waits."""
        async with self.superuser.transaction():
            await self.superuser.execute(f"lock table {table} in share mode")
            yield

    async def held_up(self):
        """Connections that wait for a lock."""
        return [row[0] for row in await self.superuser.fetch("select pid from pg_locks where not granted")]


# What rules do


async def test_does_everything_that_it_says(ana, eventually):
    made = await rule(
        ana,
        {"action": "notify", "title": "Olhe isto"},
        {"action": "create_task", "title": "Ligar", "priority": "urgent", "due_in": "PT2H"},
        {"action": "add_tag", "tag": "quente"},
        {"action": "set_status", "status": "pending"},
        {"action": "send_reply", "body": "Já vamos responder."},
        name="Tudo",
    )
    entry = await ana.hears("Tem desconto?")
    (match,) = await eventually(lambda: matches(ana))
    about = {"conversation_id": entry["conversation_id"], "contact_id": entry["contact_id"]}

    assert (match["message_id"], match["conversation_id"]) == (entry["message_id"], entry["conversation_id"])
    assert match["payload"]["actions"] == made["compiled"]["then"]

    (told,) = await eventually(lambda: ana.notifications(type="rule_match"))
    expected = {"title": "Olhe isto", "body": "Tem desconto?", "rule_id": made["id"], "seen": False, **about}
    assert told == told | expected

    (task,) = await tasks(ana)
    assert task == task | {"title": "Ligar", "priority": "urgent", "status": "open", **about}
    (received,) = await ana.events("message.received")
    due = datetime.fromisoformat(task["due_date"]) - datetime.fromisoformat(received["created_at"])
    assert due == timedelta(hours=2)

    (conversation,) = await ana.conversations()
    assert (conversation["tags"], conversation["status"]) == (["quente"], "pending")
    assert (conversation["snippet"], conversation["last_message_direction"]) == ("Já vamos responder.", "outbound")
    changes = {
        (name, str(value))
        for event in await ana.events("conversation.updated")
        if event["payload"]["by_rule"] == made["id"]
        for name, value in event["payload"].items()
    }
    assert {("tags", "['quente']"), ("status", "pending")} <= changes

    reply, _ = await ana.messages(entry["conversation_id"])
    assert reply == reply | {"body": "Já vamos responder.", "direction": "outbound", "status": "queued"}
    (sent,) = await ana.events("message.sent")
    assert (sent["message_id"], sent["payload"]["by_rule"]) == (reply["id"], True)

    status, after = await ana.get(f"/rules/{made['id']}")
    assert (status, after["match_count"]) == (200, 1)
    assert after["last_matched_at"] is not None
    assert after == made | {name: after[name] for name in ("match_count", "last_matched_at")}


@pytest.mark.parametrize(
    ("locale", "title"), [("pt-BR", "Regra: Preços"), ("en-US", "Rule: Preços"), ("es-AR", "Regla: Preços")]
)
async def test_every_match_is_told_even_where_no_action_says_so(ana, eventually, locale, title):
    await ana.patch("/me", {"locale": locale})
    await rule(ana, {"action": "add_tag", "tag": "x"}, name="Preços")
    await ana.hears("oi")
    (told,) = await eventually(lambda: ana.notifications(type="rule_match"))
    assert told["title"] == title


async def test_a_task_may_have_no_date(ana, eventually):
    await rule(ana, {"action": "create_task", "title": "Ligar"})
    await ana.hears("oi")
    (task,) = await eventually(lambda: tasks(ana))
    assert (task["due_date"], task["priority"]) == (None, "medium")


async def test_tags_once(ana, all_done):
    await rule(ana, {"action": "add_tag", "tag": "x"}, {"action": "add_tag", "tag": " x "}, when=says("oi"))
    await rule(ana, {"action": "add_tag", "tag": "x"}, when=says("oi"))
    entry = await ana.hears("oi")
    await ana.hears("oi de novo")
    await all_done(ana)
    assert (await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"] == ["x"]
    assert len(await matches(ana)) == 5


async def test_fifty_tags_are_enough(ana, all_done):
    entry = await ana.hears("oi")
    await ana.patch(f"/conversations/{entry['conversation_id']}", {"tags": [f"{n}" for n in range(50)]})
    await rule(ana, {"action": "add_tag", "tag": "x"}, when=says("oi"))
    await ana.hears("oi")
    await all_done(ana)
    assert len((await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"]) == 50
    assert len(await matches(ana)) == 2


@pytest.mark.parametrize(
    ("when", "text", "fires"),
    [
        (says("preço"), "Qual o PRECO?", True),
        (says("preço"), "apreço", False),
        ({"field": "message.urgency", "op": "eq", "value": "high"}, URGENT, True),
        ({"field": "message.urgency", "op": "eq", "value": "high"}, "oi", False),
        ({"field": "message.negotiation", "op": "eq", "value": True}, "Faz por 80?", True),
        ({"field": "message.language", "op": "eq", "value": "es"}, "¿Cuánto cuesta el envío?", True),
        ({"field": "channel.type", "op": "eq", "value": "whatsapp"}, "oi", True),
        ({"field": "channel.type", "op": "eq", "value": "email"}, "oi", False),
        ({"field": "contact.vip", "op": "eq", "value": True}, "oi", True),
        ({"field": "contact.name", "op": "contains", "value": "quintela"}, "oi", True),
        ({"field": "contact.handle", "op": "contains", "value": "5511900000012"}, "oi", True),
        ({"field": "contact.negotiation_mode", "op": "eq", "value": "off"}, "oi", True),
        ({"field": "conversation.tags", "op": "contains", "value": "Antigo"}, "oi", True),
        ({"field": "conversation.status", "op": "eq", "value": "open"}, "oi", True),
        ({"field": "conversation.unread_count", "op": "eq", "value": 2}, "oi", True),
        ({"field": "conversation.unread_count", "op": "gt", "value": 2}, "oi", False),
        ({"field": "time.hour", "op": "between", "value": [9, 9]}, "oi", True),
        ({"field": "time.weekday", "op": "eq", "value": "wednesday"}, "oi", True),
        ({"not": {"field": "time.weekday", "op": "eq", "value": 3}}, "oi", False),
    ],
)
async def test_asks_what_is_really_there(ana, all_done, when, text, fires):
    """A VIP of old, with negotiation off, whose conversation was closed; on a Wednesday at 9:20 in São Paulo."""
    entry = await ana.hears("primeira", at=1714564000)
    await ana.patch(f"/contacts/{entry['contact_id']}/settings", {"vip": True, "negotiation_enabled": False})
    await ana.patch(f"/conversations/{entry['conversation_id']}", {"tags": ["antigo"], "status": "closed"})
    made = await rule(ana, NOTIFY, when=when)
    second = await ana.hears(text, at=int(datetime(2024, 5, 1, 12, 20, tzinfo=UTC).timestamp()))
    await all_done(ana)
    found = [each["message_id"] for each in await matches(ana, made["id"])]
    assert (second["message_id"] in found) == fires


async def test_a_disabled_rule_does_nothing(ana, all_done):
    made = await rule(ana, {"action": "create_task", "title": "x"}, enabled=False)
    await ana.hears("oi")
    await all_done(ana)
    assert (await tasks(ana), await matches(ana, made["id"])) == ([], [])
    await ana.patch(f"/rules/{made['id']}", {"enabled": True})
    await ana.hears("oi")
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 2
    await ana.patch(f"/rules/{made['id']}", {"enabled": False})
    await ana.hears("oi")
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 2


async def test_acts_for_its_own_user_only(ana, bruno, all_done):
    await rule(bruno, {"action": "send_reply", "body": "oi"})
    entry = await ana.hears("oi")
    await all_done(bruno)
    await all_done(ana)
    assert await outbound(ana, entry) == []


async def test_many_rules_all_act(ana, eventually):
    made = await asyncio.gather(
        *(rule(ana, {"action": "create_task", "title": f"{n}"}, NOTIFY, when=says("oi")) for n in range(100))
    )
    await asyncio.gather(*(rule(ana, {"action": "create_task", "title": "no"}, when=says("x")) for _ in range(50)))
    await ana.hears("oi")
    found = await eventually(lambda: matches(ana), lambda found: len(found) == 100)
    assert {each["payload"]["rule_id"] for each in found} == {each["id"] for each in made}
    assert sorted(each["title"] for each in await tasks(ana)) == sorted(f"{n}" for n in range(100))


# What rules wait for


async def test_waits_for_a_new_conversation(ana, all_done):
    made = await rule(ana, {"action": "add_tag", "tag": "novo"}, when=says("oi"), trigger="conversation.created")
    entry = await ana.hears("oi")
    await ana.hears("oi outra vez")
    await all_done(ana)
    (match,) = await matches(ana, made["id"])
    assert match["conversation_id"] == entry["conversation_id"]
    assert (await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"] == ["novo"]


async def test_a_conversation_that_the_seller_begins_is_new_too(ana, all_done):
    channel = await ana.made("/channels", {"type": "email", "name": "Mail", "external_account_id": "a@example.com"})
    contact = await ana.made("/contacts", {"name": "Rui", "handle": "rui@example.com", "channel_type": "email"})
    made = await rule(ana, NOTIFY, trigger="conversation.created")
    body = {"contact_id": contact["id"], "channel_id": channel["id"]}
    conversation = await ana.made("/conversations", body)
    assert await ana.post("/conversations", body) == (200, conversation)
    await all_done(ana)
    first, _ = await matches(ana, made["id"])  # the other one is the last message's
    assert (first["conversation_id"], first["message_id"]) == (conversation["id"], None)


async def test_waits_for_a_task_to_lapse(shop, all_done):
    ana = shop.ana
    entry = await ana.hears("oi")
    made = await rule(ana, NOTIFY, {"action": "add_tag", "tag": "atrasado"}, trigger="task.overdue")
    with_customer = {"title": "Ligar", "due_date": "2030-05-07", "conversation_id": entry["conversation_id"]}
    first = await ana.made("/tasks", with_customer)
    alone = await ana.made("/tasks", {"title": "Pagar", "due_date": "2030-05-07"})
    assert await shop.scans.overdue() == 2
    assert await shop.scans.overdue() == 0
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 2
    assert (await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"] == ["atrasado"]
    told = await ana.notifications(type="rule_match")
    assert {each["task_id"] for each in told} >= {first["id"], alone["id"]}

    await ana.patch(f"/tasks/{alone['id']}", {"due_date": "2030-05-09"})
    shop.clock.now += 2 * DAY
    assert await shop.scans.overdue() == 1
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 3


async def test_waits_for_a_lead_to_stall(shop, all_done):
    ana = shop.ana
    made = await rule(ana, {"action": "create_task", "title": "Chamar"}, trigger="lead.stalled")
    entry = await ana.hears("oi", at=int(datetime(2024, 5, 1, tzinfo=UTC).timestamp()))
    shop.clock.now = datetime(2024, 5, 6, tzinfo=UTC)
    for _ in range(2):
        await shop.scans.stalled()
    await all_done(ana)
    assert [each["conversation_id"] for each in await matches(ana, made["id"])] == [entry["conversation_id"]]
    assert [each["title"] for each in await tasks(ana)] == ["Chamar"]


async def test_a_stalled_lead_is_known_by_what_the_customer_wrote_last(shop, all_done, eventually):
    ana = shop.ana
    bargain = {"field": "message.negotiation", "op": "eq", "value": True}
    made = await rule(ana, NOTIFY, when={"all": [bargain, says("80")]}, trigger="lead.stalled")
    entry = await ana.hears("Faz por 80?", at=int(datetime(2024, 5, 1, tzinfo=UTC).timestamp()))
    await ana.post(f"/conversations/{entry['conversation_id']}/messages", {"body": "Por 90."})
    shop.clock.now = datetime.now(UTC) + 30 * DAY
    assert await eventually(shop.scans.stalled) == 1  # a conversation that the bus holds is passed over
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 1


@pytest.mark.parametrize("trigger", ["lead.stalled", "task.overdue"])
async def test_what_no_message_tells_happens_now(shop, all_done, trigger):
    """Half a day away from the hour of the last message."""
    ana = shop.ana
    hour = datetime.now(ZoneInfo("America/Sao_Paulo")).hour
    now = {"field": "time.hour", "op": "between", "value": [hour, (hour + 1) % 24]}
    made = await rule(ana, NOTIFY, when=now, trigger=trigger)
    entry = await ana.hears("oi", at=int((datetime.now(UTC) - 5.5 * DAY).timestamp()))
    task = {"title": "Ligar", "due_date": "2020-01-01", "conversation_id": entry["conversation_id"]}
    await ana.made("/tasks", task)
    shop.clock.now = datetime.now(UTC)
    await shop.scans.stalled()
    await shop.scans.overdue()
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 1


# Once


async def test_a_redelivered_message_fires_nothing_again(ana, all_done):
    made = await rule(ana, {"action": "create_task", "title": "x"}, when=says("oi"))
    for _ in range(4):
        await ana.hears("oi", id="wamid.again")
    await asyncio.gather(*(ana.hears("oi", id="wamid.again") for _ in range(10)))
    await all_done(ana)
    assert (len(await matches(ana, made["id"])), len(await tasks(ana))) == (1, 1)


async def test_two_replicas_fire_each_message_once(shop, http, all_done):
    ana = shop.ana
    made = await rule(ana, {"action": "create_task", "title": "x"}, {"action": "notify"}, when=says("oi"))
    async with serving(shop.dsn) as elsewhere, serving(shop.dsn) as third:
        people = [ana, Person(http, elsewhere, ana.session), Person(http, third, ana.session)]
        for start in range(0, 60, 20):
            await asyncio.gather(
                *(people[n % 3].hears(f"oi {n}", sender=f"+55119000001{n:02}") for n in range(start, start + 20))
            )
        await all_done(ana)
    assert len(await matches(ana, made["id"])) == len(await tasks(ana)) == 60
    assert (await ana.get(f"/rules/{made['id']}"))[1]["match_count"] == 60


async def test_a_consumer_killed_in_the_middle_begins_again_and_nothing_is_doubled(shop, eventually, all_done):
    """The tag and the reply are written, the task is not yet: then the connection breaks, twice."""
    ana = shop.ana
    made = await rule(
        ana,
        {"action": "add_tag", "tag": "x"},
        {"action": "send_reply", "body": "Já vamos."},
        {"action": "create_task", "title": "Ligar"},
        when=says("oi"),
    )
    entry = await ana.hears("primeira", at=1714564000)
    async with shop.holding_up("tasks"):
        await ana.hears("oi")
        for _ in range(2):
            (pid,) = await eventually(shop.held_up)
            assert await shop.superuser.fetchval("select pg_terminate_backend($1)", pid)
            await eventually(shop.held_up, lambda pids, killed=pid: killed not in pids)
        assert (await outbound(ana, entry), await matches(ana)) == ([], [])
    await all_done(ana)
    assert len(await matches(ana, made["id"])) == 1
    assert (await outbound(ana, entry), [each["title"] for each in await tasks(ana)]) == (["Já vamos."], ["Ligar"])
    assert (await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"] == ["x"]


async def test_a_service_stopped_in_the_middle_leaves_the_rest_to_the_next(cluster, http, eventually):
    name = cluster.copy()
    superuser = await asyncpg.connect(cluster.superuser(name))
    async with serving(cluster.app(name)) as address:
        ana = await Person.sign_up(http, address)
        await rule(ana, {"action": "send_reply", "body": "Já vamos."}, {"action": "create_task", "title": "Ligar"})
        await superuser.execute("begin; lock table tasks in share mode")
        entry = await ana.hears("oi")
        waiting = "select count(*) from pg_locks where not granted"
        assert await eventually(lambda: superuser.fetchval(waiting))
    await superuser.execute("rollback")
    async with serving(cluster.app(name)) as address:
        ana = Person(http, address, ana.session)
        assert len(await eventually(lambda: matches(ana), seconds=10)) == 1
        assert (await outbound(ana, entry), len(await tasks(ana))) == (["Já vamos."], 1)
    await superuser.close()


# And no further


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


# What breaks


async def test_a_rule_that_cannot_be_read_stops_nobody_else(shop, http, all_done, eventually, monkeypatch):
    monkeypatch.setattr("alfred.reader.FIRST_WAIT_SECONDS", 0.01)
    ana = shop.ana
    bruno = await Person.sign_up(http, ana.address, "Bruno")
    for person in (ana, bruno):
        await rule(person, {"action": "create_task", "title": "x"}, when=says("oi"))
    broken = await rule(ana, {"action": "create_task", "title": "y"}, when=says("oi"))
    spoil = "update rules set compiled = jsonb_set(compiled, '{when}', $2) where rule_id = $1"
    await shop.superuser.execute(spoil, broken["id"], '{"field": "moon.phase", "op": "eq", "value": 1}')
    await ana.hears("oi")
    await bruno.hears("oi")
    await all_done(bruno)
    assert [each["title"] for each in await tasks(bruno)] == ["x"]

    async def set_aside():
        return await shop.superuser.fetch("select attempts from event_retries where consumer = 'rules'")

    assert len(await eventually(set_aside)) == 1
    assert await tasks(ana) == []
    await ana.delete(f"/rules/{broken['id']}")
    assert [each["title"] for each in await eventually(lambda: tasks(ana))] == ["x"]
    await all_done(ana)


@pytest.mark.parametrize("gone", ["contacts", "channels"])
async def test_what_is_forgotten_before_the_rules_come_is_passed_over(shop, all_done, gone):
    ana = shop.ana
    made = await rule(
        ana,
        {"action": "create_task", "title": "x"},
        {"action": "add_tag", "tag": "x"},
        {"action": "send_reply", "body": "x"},
        when={"not": says("ponto final")},
    )
    async with shop.superuser.transaction():
        await shop.superuser.execute("select from bus_cursors for update")
        await ana.hears("oi")
        (thing,) = (await ana.get(f"/{gone}"))[1]["items"]
        assert (await ana.delete(f"/{gone}/{thing['id']}"))[0] == 204
    await all_done(ana)
    assert await shop.superuser.fetch("select error from event_retries") == []
    assert (await tasks(ana), await matches(ana, made["id"])) == ([], [])


# What is sent along, and who is new


def photo(number):
    payload = cloud(cloud_message("image", image={"id": "1", "mime_type": "image/jpeg"}))
    payload["entry"][0]["changes"][0]["value"]["messages"][0] |= {"from": number, "id": f"wamid.{number}"}
    return payload


async def test_rules_ask_for_attachments_and_for_new_customers(ana, all_done):
    sends_image = {"field": "message.attachments", "op": "contains_any", "value": ["image", "video"]}
    is_first = {"field": "contact.first_conversation", "op": "eq", "value": True}
    seen = await rule(ana, NOTIFY, when=sends_image)
    new = await rule(ana, NOTIFY, when={"all": [is_first, sends_image]}, trigger="conversation.created")
    known = await ana.hears("oi", sender="+5511900000013")
    for number in ("5511900000012", "5511900000013"):
        assert (await ana.post("/webhooks/whatsapp", photo(number)))[0] == 200
    await all_done(ana)
    assert len(await matches(ana, seen["id"])) == 2
    (match,) = await matches(ana, new["id"])
    assert match["contact_id"] != known["contact_id"]
    status, tried = await ana.post("/rules/backtest", {"compiled": seen["compiled"]})
    assert (status, tried["tried"], tried["matched"]) == (200, 4, 2)
    second = seen["compiled"] | {"when": {"not": is_first}}  # the one who wrote before did so on another number of ours
    assert (await ana.post("/rules/backtest", {"compiled": second}))[1]["matched"] == 1
    status, verdict = await ana.post(f"/rules/{seen['id']}/test", {"text": "veja", "attachments": ["video"]})
    assert (status, verdict["matched"]) == (200, True)


def test_long_texts_of_actions_are_cut_in_the_log():
    actions = [SendReply(action="send_reply", body=letters * 501) for letters in "ab"]
    assert [(len(each["body"]), each["body"][-2:]) for each in told(actions)] == [(500, "a…"), (500, "b…")]
    assert told([SendReply(action="send_reply", body="a" * 500), Notify(action="notify")]) == [
        {"action": "send_reply", "body": "a" * 500},
        {"action": "notify"},
    ]
