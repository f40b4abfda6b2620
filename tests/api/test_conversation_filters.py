"""The list of conversations: by latest activity, found by filters and words."""

from itertools import combinations

import pytest
from uuid_utils.compat import uuid7


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
