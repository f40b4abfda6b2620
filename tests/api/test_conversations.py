"""The inbox: conversations by latest activity, found by filters and words."""

import asyncio
from itertools import combinations

import pytest
from uuid_utils.compat import uuid7
from yarl import URL

from tests.api.posts import flat, messenger
from tests.conftest import serving
from tests.people import Person, whatsapp


async def walk(person, path, **query):
    """Every item of a list, page by page along `next`."""
    items, pages = [], 0
    status, page = await person.get(path, **query)
    while True:
        assert status == 200, page
        items += page["items"]
        pages += 1
        assert page["has_more"] == (page["next"] is not None) == (page["next_cursor"] is not None)
        if not page["has_more"]:
            return items, pages
        status, page = await person.get(page["next"])


async def test_shows_a_conversation_whole(ana):
    entry = await ana.hears("Preciso disso hoje, é urgente")
    (conversation,) = await ana.conversations()
    _, channels = await ana.get("/channels")
    assert conversation == {
        "id": entry["conversation_id"],
        "contact": {
            "id": entry["contact_id"],
            "name": "Marina Quintela",
            "handle": "+5511900000012",
            "vip": False,
        },
        "channel": {"id": channels["items"][0]["id"], "type": "whatsapp", "name": channels["items"][0]["name"]},
        "status": "open",
        "unread_count": 1,
        "sentiment": entry["classification"]["sentiment"],
        "urgency": "high",
        "negotiation": False,
        "snippet": "Preciso disso hoje, é urgente",
        "last_message_at": "2024-05-01T12:00:00Z",
        "last_message_direction": "inbound",
        "last_message_failed": False,
        "waiting_since": "2024-05-01T12:00:00Z",
        "tags": [],
        "snoozed_until": None,
        "send_policy": {
            "state": "closed",
            "kinds": ["template"],
            "expires_at": None,
            "human_only": False,
            "template_required": True,
            "enforced": False,
            "reason": "window",
            "remedy": "use_template",
        },
        "created_at": conversation["created_at"],
        "updated_at": conversation["updated_at"],
    }
    assert await ana.get(f"/conversations/{conversation['id']}") == (200, conversation)


async def test_newest_activity_comes_first(ana):
    for number, at in enumerate([30, 10, 20]):
        await ana.hears(f"{at}", f"+551190000010{number}", at=1714564800 + at)
    assert [each["snippet"] for each in await ana.conversations()] == ["30", "20", "10"]
    await ana.hears("40", "+5511900000101", at=1714564840)
    await ana.hears("late", "+5511900000100", at=1714564801)
    assert [each["snippet"] for each in await ana.conversations()] == ["40", "30", "20"]
    oldest = (await ana.conversations())[2]
    await ana.made(f"/conversations/{oldest['id']}/messages", {"body": "answered"})
    assert [each["snippet"] for each in await ana.conversations()] == ["answered", "40", "30"]


@pytest.fixture
async def busy(ana):
    """Ana, with conversations of every sort."""
    texts = ["Preciso disso hoje, é urgente", "Amei, perfeito!", "Quanto custa?", "Estou decepcionada, péssimo", "oi"]
    for number, text in enumerate(texts * 2):
        handle = f"+55119000002{number:02}"
        if number % 3 == 0:
            await ana.hears(text, handle, at=1714564800 + number)
        elif number % 3 == 1:
            await ana.post("/webhooks/messenger", messenger(text, f"70{number}", at=1714564800000 + number))
        else:
            await ana.post("/webhooks/email", flat(text, f"p{number}@example.com"))
    conversations = await ana.conversations()
    for number, conversation in enumerate(conversations):
        change = {"status": ("open", "pending", "snoozed", "closed")[number % 4]}
        await ana.patch(f"/conversations/{conversation['id']}", change | {"tags": ["vip", "novo"][: number % 3]})
        if number % 2:
            await ana.post(f"/conversations/{conversation['id']}/read")
    return ana


FILTERS = {
    "status": ("pending", lambda each: each["status"] == "pending"),
    "channel": ("whatsapp", lambda each: each["channel"]["type"] == "whatsapp"),
    "unread_only": (True, lambda each: each["unread_count"] > 0),
    "sentiment": ("neutral", lambda each: each["sentiment"] == "neutral"),
    "urgency": ("low", lambda each: each["urgency"] == "low"),
    "tag": ("vip", lambda each: "vip" in each["tags"]),
    "q": ("QU", lambda each: "qu" in f"{each['snippet']} {each['contact']['name']}".lower()),
}


async def test_filters_alone_and_together(busy):
    everything = await busy.conversations()
    assert len(everything) == 10
    for name, (_, fits) in FILTERS.items():
        assert 0 < sum(map(fits, everything)) < 10, name
    for count in (1, 2, 3):
        for names in combinations(FILTERS, count):
            found = await busy.conversations(**{name: FILTERS[name][0] for name in names})
            wanted = [each for each in everything if all(FILTERS[name][1](each) for name in names)]
            assert [each["id"] for each in found] == [each["id"] for each in wanted], names
    every = await busy.conversations(**{name: value for name, (value, _) in FILTERS.items()})
    assert [each["id"] for each in every] == [
        each["id"] for each in everything if all(fits(each) for _, fits in FILTERS.values())
    ]


async def test_filters_by_contact(busy):
    everything = await busy.conversations()
    one = everything[4]
    assert await busy.conversations(contact_id=one["contact"]["id"]) == [one]
    assert await busy.conversations(contact_id=one["contact"]["id"], status=one["status"]) == [one]
    assert await busy.conversations(contact_id=str(uuid7())) == []


async def test_an_empty_filter_is_no_filter(busy):
    found = await busy.conversations(status="", channel="", q="", tag="", cursor="", contact_id="", unread_only="")
    assert found == await busy.conversations()
    assert await busy.conversations(unread_only="false") == found
    assert await busy.conversations(unread_only="1") == await busy.conversations(unread_only=True)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"colour": "red"}, "unknown_parameter"),
        ({"status": "lost"}, "invalid"),
        ({"channel": "telegram"}, "invalid"),
        ({"sentiment": "angry"}, "invalid"),
        ({"urgency": "urgent"}, "invalid"),
        ({"unread_only": "maybe"}, "invalid"),
        ({"contact_id": "7"}, "invalid"),
        ({"limit": 0}, "invalid"),
        ({"limit": 201}, "invalid"),
        ({"limit": "many"}, "invalid"),
        ({"q": "x" * 201}, "invalid"),
        ({"tag": "x" * 51}, "invalid"),
    ],
)
async def test_refuses_a_filter_that_it_does_not_know(ana, query, code):
    status, problem = await ana.get("/conversations", **query)
    assert (status, problem["code"]) == (422, code)
    assert [fault["pointer"] for fault in problem["errors"]] == list(query)


async def test_refuses_a_word_that_cannot_be_stored(ana):
    status, problem = await ana.get("/conversations?q=a%00b")
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["q"])


async def test_a_parameter_given_twice_is_refused(ana):
    status, problem = await ana.get("/conversations?status=open&status=closed")
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["status"])


@pytest.mark.parametrize(
    ("said", "wanted", "unwanted"),
    [
        ("Qual o PREÇO da Encomenda?", ["preço", "preco", "PRECO", "Preç", "QUAL o", "encomenda?"], ["prezo", "oçerp"]),
        ("desconto de 100% hoje", ["100%", "0% h", "%"], ["100% de", "10%"]),
        ("pedido_7 chegou", ["pedido_7", "o_7", "_"], ["pedido7", "p_dido", "pedido__7"]),
        (r"em C:\temp\a", [r"c:\temp", "\\", r"\a"], ["c:temp", r"\\temp", r"\%"]),
        ("x", ["x", " x "], ["xx"]),
        ("ação", ["aç", "ac", "ÇÃO", "A"], ["az", "ÃO", "o"]),
        ("it's \"quoted\" -- ; drop", ["it's", '"quoted"', "-- ;"], ["it''s"]),
        ("olá 👍 tudo", ["👍", "a 👍 t"], ["👎"]),
        ("Łódź Ñandú straße", ["lodz", "ŁÓDŹ", "nandu", "strasse"], ["ladz"]),
        ("linha um\nlinha dois", ["um\nlinha", "linha dois"], ["um linha"]),
    ],
)  # fmt: skip
async def test_finds_words_in_messages(ana, said, wanted, unwanted):
    entry = await ana.hears(said, name="", at=1714564800)
    await ana.hears("BBB", "+5511900000012", name="", at=1714564900)
    await ana.hears("BBB", "+5511900000013", name="")
    for text in wanted:
        assert [each["id"] for each in await ana.conversations(q=text)] == [entry["conversation_id"]], text
    for text in unwanted:
        assert await ana.conversations(q=text) == [], text


async def test_finds_a_contacts_name_and_handle(ana):
    marina = await ana.hears("oi", "+5511900000012", name="Marina Conceição")
    joao = await ana.hears("oi", "+5521988887777", name="João")
    for text, found in {
        "conceicao": marina, "MARINA C": marina, "ma": marina, "co": marina, "ri": None,
        "joao": joao, "+5521": joao, "88887777": joao, "ü": None,
    }.items():  # fmt: skip
        ids = [each["id"] for each in await ana.conversations(q=text)]
        assert ids == ([found["conversation_id"]] if found else []), text
    assert len(await ana.conversations(q="oi")) == 2
    assert len(await ana.conversations(q="  ")) == 2


async def test_finds_what_was_sent_and_what_is_said_now(ana):
    entry = await ana.hears("pergunta")
    await ana.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Entregamos amanhã"})
    assert len(await ana.conversations(q="entregamos amanha")) == 1


async def test_never_finds_somebody_elses(ana, bruno):
    await ana.hears("segredo da Ana")
    for query in ({}, {"q": "segredo"}, {"q": "se"}, {"unread_only": True}):
        assert await bruno.conversations(**query) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
async def test_pages_hold_every_conversation_once(busy, limit):
    everything = await busy.conversations()
    items, pages = await walk(busy, "/conversations", limit=limit)
    assert items == everything
    assert pages == -(-10 // limit)


async def test_pages_are_right_when_times_tie(ana):
    for number in range(7):
        await ana.hears("oi", f"+551190000010{number}", at=1714564800)
    everything = await ana.conversations()
    items, _ = await walk(ana, "/conversations", limit=2)
    assert [each["id"] for each in items] == [each["id"] for each in everything]
    assert len({each["id"] for each in items}) == 7
    assert [each["id"] for each in everything] == sorted((each["id"] for each in everything), reverse=True)


async def test_pages_stay_right_while_others_arrive(ana):
    for number in range(6):
        await ana.hears(f"{number}", f"+551190000010{number}", at=1714564800 + number)
    _, page = await ana.get("/conversations", limit=2)
    seen = [each["snippet"] for each in page["items"]]
    while page["next"]:
        await ana.hears("new", f"+5511900001{len(seen):03}", at=1714570000 + len(seen))
        await ana.hears("old", f"+5511900002{len(seen):03}", at=1714560000 - len(seen))
        _, page = await ana.get(page["next"])
        seen += [each["snippet"] for each in page["items"]]
    assert [text for text in seen if text not in {"new", "old"}] == ["5", "4", "3", "2", "1", "0"]
    assert "new" not in seen


async def test_the_next_page_keeps_the_filters(ana):
    for number in range(5):
        await ana.hears("a 100% é & + #?", f"+551190000010{number}", at=1714564800 + number)
        await ana.hears("outro", f"+551190000020{number}", at=1714564800 + number)
    items, pages = await walk(ana, "/conversations", limit=2, q="100% é & + #", status="open")
    assert (len(items), pages) == (5, 3)


async def test_a_cursor_goes_on_as_next_does(busy):
    _, page = await busy.get("/conversations", limit=4)
    assert URL(page["next"]).query["cursor"] == page["next_cursor"]
    by_cursor = await busy.get("/conversations", limit=4, cursor=page["next_cursor"])
    _, by_link = await busy.get(page["next"])
    assert by_cursor[1]["items"] == by_link["items"]


@pytest.mark.parametrize("cursor", ["x", "AAAA", "é", "....", "%00", "a" * 500])
async def test_a_damaged_cursor_is_told(ana, cursor):
    status, problem = await ana.get("/conversations", cursor=cursor)
    assert (status, problem["code"]) == (400, "invalid_cursor")


async def test_a_cursor_of_another_list_is_told(busy):
    _, contacts = await busy.get("/contacts", limit=1)
    status, problem = await busy.get("/conversations", cursor=contacts["next_cursor"])
    assert (status, problem["code"]) == (400, "invalid_cursor")
    _, page = await busy.get("/conversations", limit=1)
    cursor = page["next_cursor"]
    broken = cursor[:-3] + ("A" if cursor[-3] != "A" else "B") + cursor[-2:]
    assert (await busy.get("/conversations", cursor=broken))[1]["code"] == "invalid_cursor"
    assert (await busy.get("/conversations", cursor=cursor[:-4]))[1]["code"] == "invalid_cursor"


async def test_somebody_elses_cursor_shows_nothing_of_theirs(busy, bruno):
    _, page = await busy.get("/conversations", limit=1)
    assert (await bruno.get("/conversations", cursor=page["next_cursor"]))[1]["items"] == []


async def test_next_is_the_url_that_was_asked(ana, address):
    await two(ana)
    _, page = await ana.get("/conversations", limit=1)
    assert page["next"].startswith(f"{address}/api/v1/conversations?")
    _, headers, _ = await ana.call("GET", "/conversations")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    _, page = await ana.get("/conversations", limit=1, headers=forged)
    assert page["next"].startswith(address)


async def test_next_is_under_the_public_url(cluster, database, http):
    async with serving(cluster.logins(database), public_url="https://crm.example.com/alfred/") as address:
        ana = await Person.sign_up(http, address)
        await two(ana)
        _, page = await ana.get("/conversations", limit=1, q="oi & tchau")
        assert page["next"].startswith("https://crm.example.com/alfred/api/v1/conversations?")
        assert URL(page["next"]).query == {"limit": "1", "q": "oi & tchau", "cursor": page["next_cursor"]}


async def test_next_believes_a_trusted_proxy(cluster, database, http):
    async with serving(cluster.logins(database), trusted_proxies="127.0.0.0/8") as address:
        ana = await Person.sign_up(http, address)
        await two(ana)
        told = {"X-Forwarded-Host": "crm.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
        _, page = await ana.get("/conversations", limit=1, headers=told)
        assert page["next"].startswith("https://crm.example.com/api/v1/conversations?limit=1&cursor=")
        for strange in ("evil\t.example/x?", "x" * 256):
            _, page = await ana.get("/conversations", limit=1, headers={"X-Forwarded-Host": strange})
            assert page["next"].startswith(address)


async def two(person):
    await person.hears("oi & tchau", "+5511900000011")
    await person.hears("oi & tchau", "+5511900000012")


async def test_reading_and_unreading(ana):
    entry = await ana.hears("um")
    await ana.hears("dois")
    path = f"/conversations/{entry['conversation_id']}"
    assert (await ana.get(path))[1]["unread_count"] == 2
    for _ in range(2):
        status, conversation = await ana.post(f"{path}/read")
        assert (status, conversation["unread_count"]) == (200, 0)
    assert await ana.conversations(unread_only=True) == []
    for _ in range(2):
        status, conversation = await ana.post(f"{path}/unread")
        assert (status, conversation["unread_count"]) == (200, 1)
    assert await ana.conversations(unread_only=True) == [conversation]
    await ana.hears("três")
    assert (await ana.post(f"{path}/unread"))[1]["unread_count"] == 2


async def test_changes_status_and_tags(ana):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}"
    for state in ("pending", "closed", "snoozed", "open"):
        status, conversation = await ana.patch(path, {"status": state})
        assert (status, conversation["status"]) == (200, state)
    status, conversation = await ana.patch(path, {"tags": [" vip ", "novo", "vip", 7]})
    assert (status, conversation["tags"], conversation["status"]) == (200, ["vip", "novo", "7"], "open")
    assert (await ana.patch(path, {"status": "pending"}))[1]["tags"] == ["vip", "novo", "7"]
    assert (await ana.patch(path, {"tags": []}))[1]["tags"] == []
    assert await ana.patch(path, {}) == await ana.get(path)


async def test_sleeps_until_and_wakes(ana):
    entry = await ana.hears("oi")
    path = f"/conversations/{entry['conversation_id']}"
    _, conversation = await ana.patch(path, {"status": "snoozed", "snoozed_until": "2030-01-01T09:00:00-03:00"})
    assert (conversation["status"], conversation["snoozed_until"]) == ("snoozed", "2030-01-01T12:00:00Z")
    _, conversation = await ana.patch(path, {"snoozed_until": "2030-01-01T09:00:00"})
    assert (conversation["status"], conversation["snoozed_until"]) == ("snoozed", "2030-01-01T09:00:00Z")
    _, conversation = await ana.patch(path, {"snoozed_until": None})
    assert (conversation["status"], conversation["snoozed_until"]) == ("snoozed", None)
    await ana.patch(path, {"snoozed_until": "2030-01-01T09:00:00Z"})
    _, conversation = await ana.patch(path, {"status": "open"})
    assert (conversation["status"], conversation["snoozed_until"]) == ("open", None)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"status": "lost"}, "/status"),
        ({"status": 1}, "/status"),
        ({"tags": ["x" * 51]}, "/tags/0"),
        ({"tags": ["ok", " "]}, "/tags/1"),
        ({"tags": [f"t{n}" for n in range(51)]}, "/tags"),
        ({"tags": "vip"}, "/tags"),
        ({"tags": ["a\x00"]}, "/tags/0"),
        ({"tags": ["\ud800"]}, "/tags/0"),
        ({"snoozed_until": "tomorrow"}, "/snoozed_until"),
        ({"snoozed_until": 1714564800}, "/snoozed_until"),
        ({"snoozed_until": "9999-12-31T23:59:59Z"}, "/snoozed_until"),
        ({"unread_count": 0}, "/unread_count"),
        ({"contact/id~": 0}, "/contact~1id~0"),
        ({"contact/id~": "\x00"}, "/contact~1id~0"),
    ],
)
async def test_refuses_a_bad_change(ana, change, pointer):
    entry = await ana.hears("oi")
    status, problem = await ana.patch(f"/conversations/{entry['conversation_id']}", change)
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, [pointer])


async def test_takes_fifty_tags(ana):
    entry = await ana.hears("oi")
    tags = [f"{n}" * 25 if n > 9 else f"t{n}" for n in range(50)]
    status, conversation = await ana.patch(f"/conversations/{entry['conversation_id']}", {"tags": tags})
    assert (status, conversation["tags"]) == (200, tags)


async def test_a_change_is_in_the_log(ana):
    entry = await ana.hears("oi")
    await ana.patch(f"/conversations/{entry['conversation_id']}", {"status": "closed", "tags": ["vip"]})
    (event,) = await ana.events("conversation.updated")
    assert event["conversation_id"] == entry["conversation_id"]
    assert event["payload"] == {"status": "closed", "tags": ["vip"]}


async def test_opens_a_conversation_once(ana):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000077"})
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    asked = {"contact_id": contact["id"], "channel_id": channel["id"]}
    status, made = await ana.post("/conversations", asked)
    assert status == 201
    assert (made["contact"]["handle"], made["channel"]["name"]) == ("+5511900000077", "Loja")
    assert [made[name] for name in ("status", "unread_count", "snippet", "last_message_at", "sentiment")] == [
        "open", 0, None, None, None,
    ]  # fmt: skip
    assert await ana.post("/conversations", asked) == (200, made)
    assert await ana.conversations() == [made]
    assert len(await ana.events("conversation.created")) == 1


async def test_opened_at_once_it_is_one(ana):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000077"})
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    asked = {"contact_id": contact["id"], "channel_id": channel["id"]}
    answers = await asyncio.gather(*(ana.post("/conversations", asked) for _ in range(6)))
    assert sorted(status for status, _ in answers) == [*[200] * 5, 201]
    assert len({conversation["id"] for _, conversation in answers}) == 1
    assert len(await ana.events("conversation.created")) == 1


async def test_finds_the_conversation_that_a_message_began(ana):
    entry = await ana.hears("oi")
    (conversation,) = await ana.conversations()
    asked = {"contact_id": entry["contact_id"], "channel_id": conversation["channel"]["id"]}
    assert await ana.post("/conversations", asked) == (200, conversation)


async def test_a_message_comes_into_the_conversation_that_was_opened(ana):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "+5511900000012"})
    channel = await ana.made(
        "/channels", {"type": "whatsapp", "name": "Loja", "external_account_id": "109900000000001"}
    )
    made = await ana.made("/conversations", {"contact_id": contact["id"], "channel_id": channel["id"]})
    assert (await ana.hears("oi"))["conversation_id"] == made["id"]
    assert [each["snippet"] for each in await ana.conversations()] == ["oi"]


async def test_needs_a_contact_and_a_channel_of_ones_own(ana, bruno):
    contact = await ana.made("/contacts", {"name": "Nadia", "handle": "nadia@example.com"})
    channel = await ana.made("/channels", {"type": "whatsapp", "name": "Loja"})
    theirs = await bruno.hears("oi")
    their_channel = (await bruno.conversations())[0]["channel"]["id"]
    good = {"contact_id": contact["id"], "channel_id": channel["id"]}
    for change, pointers in (
        ({"contact_id": str(uuid7())}, ["/contact_id"]),
        ({"contact_id": theirs["contact_id"]}, ["/contact_id"]),
        ({"channel_id": str(uuid7())}, ["/channel_id"]),
        ({"channel_id": their_channel}, ["/channel_id"]),
        ({"channel_id": "7"}, ["/channel_id"]),
        ({"contact_id": None}, ["/contact_id"]),
        ({"status": "open"}, ["/status"]),
        ({}, ["/channel_id"]),  # an e-mail address cannot be written to on WhatsApp
    ):
        status, problem = await ana.post("/conversations", good | change)
        assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, pointers), change
    status, problem = await ana.post("/conversations")
    assert (status, [fault["pointer"] for fault in problem["errors"]]) == (422, ["/contact_id", "/channel_id"])


async def test_somebody_elses_is_not_there(ana, bruno):
    entry = await ana.hears("oi")
    for named in (entry["conversation_id"], uuid7(), "no-uuid"):
        path = f"/conversations/{named}"
        for answer in (
            await bruno.get(path),
            await bruno.patch(path, {"status": "closed"}),
            await bruno.post(f"{path}/read"),
            await bruno.post(f"{path}/unread"),
            await bruno.get(f"{path}/messages"),
            await bruno.post(f"{path}/messages", {"body": "oi"}),
        ):
            assert (answer[0], answer[1]["code"]) == (404, "not_found")
    (conversation,) = await ana.conversations()
    assert (conversation["status"], conversation["unread_count"]) == ("open", 1)
    assert await bruno.conversations(contact_id=entry["contact_id"]) == []


async def test_two_accounts_are_two_conversations_with_one_contact(ana):
    await ana.post("/webhooks/whatsapp", whatsapp("loja", account="1"))
    await ana.post("/webhooks/whatsapp", whatsapp("oficina", account="2"))
    conversations = await ana.conversations()
    assert len({each["id"] for each in conversations}) == 2
    assert len({each["contact"]["id"] for each in conversations}) == 1
