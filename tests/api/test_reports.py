"""Reports in the user's zone: every interval is there, and everything is counted once."""

import asyncpg
import pytest

DAY = 86400
# 2024-05-01T00:30 in São Paulo (03:30 in UTC)
FIRST = 1714534200
SPAN = {"from": "2024-05-01", "to": "2024-05-03"}
STARTS = ["2024-05-01T03:00:00Z", "2024-05-02T03:00:00Z", "2024-05-03T03:00:00Z"]


@pytest.fixture
async def root(cluster, database):
    connection = await asyncpg.connect(cluster.superuser(database))
    yield connection
    await connection.close()


@pytest.fixture
async def shop(ana, root):
    """Two customers over three days: answered after 10 and 30 minutes, and once more; one never."""
    marina = await ana.hears("oi, é urgente!", at=FIRST)
    await ana.hears("alô?", at=FIRST + 60)
    bia = await ana.hears("Amei, perfeito, obrigada!", "+5511900000777", at=FIRST + 2 * DAY)
    joao = "joao@example.com"
    await ana.post("/webhooks/email", {"from": joao, "subject": "oi", "text": "oi", "message_id": "m1"})

    async def answered(entry, at):
        message = await ana.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Olá"})
        await root.execute(
            "update messages set sent_at = to_timestamp($3) where user_id = $1 and message_id = $2",
            ana.id, message["id"], at,
        )  # fmt: skip

    await answered(marina, FIRST + 600)
    await answered(marina, FIRST + 660)
    await ana.hears("e o frete?", at=FIRST + DAY)
    await answered(marina, FIRST + DAY + 1800)
    await answered(bia, FIRST + 2 * DAY + 100)
    await ana.hears("e o tamanho?", at=FIRST + 2 * DAY + 200)
    return ana


async def buckets(person, report, **query):
    status, answer = await person.get(f"/reports/{report}", **{**SPAN, **query})
    assert status == 200, answer
    return answer["buckets"]


async def test_messages_in_and_out(shop, bruno):
    assert await buckets(shop, "messages") == [
        {"start": STARTS[0], "inbound": 2, "outbound": 2},
        {"start": STARTS[1], "inbound": 1, "outbound": 1},
        {"start": STARTS[2], "inbound": 2, "outbound": 1},
    ]
    assert [each["inbound"] for each in await buckets(shop, "messages", channel="email")] == [0, 0, 0]
    assert [each["inbound"] for each in await buckets(bruno, "messages")] == [0, 0, 0]


async def test_response_times_are_from_the_first_unanswered_message(shop):
    assert await buckets(shop, "response-times") == [
        {"start": STARTS[0], "answers": 1, "median": 600.0, "p90": 600.0},
        {"start": STARTS[1], "answers": 1, "median": 1800.0, "p90": 1800.0},
        {"start": STARTS[2], "answers": 1, "median": 100.0, "p90": 100.0},
    ]
    (month,) = await buckets(shop, "response-times", interval="month")
    assert month == {"start": "2024-05-01T03:00:00Z", "answers": 3, "median": 600.0, "p90": 1560.0}
    assert [each["median"] for each in await buckets(shop, "response-times", channel="email")] == [None] * 3


async def test_moods_and_urgency(shop):
    assert [each["positive"] for each in await buckets(shop, "sentiment")] == [0, 0, 1]
    assert [each["high"] for each in await buckets(shop, "urgency")] == [1, 0, 0]
    everything = await buckets(shop, "sentiment", interval="week")
    assert sum(each["positive"] + each["neutral"] + each["negative"] for each in everything) == 5
    assert everything[0]["start"] == "2024-04-29T03:00:00Z", "weeks begin on Monday"


async def test_the_zone_is_the_users(shop):
    await shop.patch("/me", {"timezone": "UTC"})
    assert [each["start"] for each in await buckets(shop, "messages")] == [
        "2024-05-01T00:00:00Z",
        "2024-05-02T00:00:00Z",
        "2024-05-03T00:00:00Z",
    ]
    await shop.patch("/me", {"timezone": "Pacific/Auckland"})
    assert [each["inbound"] for each in await buckets(shop, "messages")] == [2, 1, 2]
    spring = await buckets(shop, "messages", **{"from": "2024-09-28", "to": "2024-09-30"})
    assert [each["start"][11:] for each in spring] == ["12:00:00Z", "12:00:00Z", "11:00:00Z"], "a clock went forward"


async def test_tasks_over_time(ana, root):
    async def task(created, **values):
        made = await ana.made("/tasks", {"title": "Ligar", **values})
        await root.execute(
            "update tasks set created_at = to_timestamp($3) where user_id = $1 and task_id = $2",
            ana.id, made["id"], created,
        )  # fmt: skip
        return made

    async def done(made, at):
        await ana.post(f"/tasks/{made['id']}/complete")
        await root.execute(
            "update tasks set completed_at = to_timestamp($3) where user_id = $1 and task_id = $2",
            ana.id, made["id"], at,
        )  # fmt: skip

    await task(FIRST - 90 * DAY)
    await done(await task(FIRST - 80 * DAY), FIRST - 70 * DAY)
    await done(await task(FIRST - 60 * DAY), FIRST + DAY)
    await done(await task(FIRST), FIRST + 60)
    await task(FIRST + 2 * DAY)
    assert await buckets(ana, "tasks") == [
        {"start": STARTS[0], "created": 1, "completed": 1, "open": 2},
        {"start": STARTS[1], "created": 0, "completed": 1, "open": 1},
        {"start": STARTS[2], "created": 1, "completed": 0, "open": 2},
    ]


async def test_suggestions_and_what_became_of_them(ana):
    entry = await ana.hears("Qual o preço?")
    await ana.post("/ai/suggest-reply", {"conversation_id": entry["conversation_id"]})
    status, answer = await ana.get("/reports/suggestions")
    assert (status, len(answer["buckets"])) == (200, 30)
    assert answer["buckets"][-1] | {"start": ""} == {
        "start": "",
        "suggested": 1,
        "sent": 0,
        "edited": 0,
        "dismissed": 0,
    }
    _, other = await ana.get("/reports/suggestions", channel="email")
    assert other["buckets"][-1]["suggested"] == 0


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"from": "2024-05-03", "to": "2024-05-01"}, "from"),
        ({"from": "1990-01-01"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"interval": "hour"}, "interval"),
        ({"channel": "fax"}, "channel"),
        ({"since": "2024-05-01"}, "since"),
    ],
)
async def test_refuses_a_span_that_is_none(ana, query, pointer):
    status, problem = await ana.get("/reports/messages", **query)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_moments_and_empty_parameters(ana):
    query = {"from": "2024-05-01T12:00:00-03:00", "to": "2024-05-02T00:00:00-03:00"}
    assert [each["start"] for each in await buckets(ana, "messages", **query)] == STARTS[:1]
    status, answer = await ana.get("/reports/messages", **{"from": "", "to": "", "channel": ""})
    assert (status, len(answer["buckets"])) == (200, 30)
