"""Where a search hits, and the messages around one message or after it."""

import pytest

from alfred.api import inbox_page

NOON = 1714564800


async def found(person, q, **query):
    return [each["match"] for each in await person.conversations(q=q, **query)]


async def test_shows_where_the_search_hits(ana):
    first = await ana.hears("A mesa de jantar ainda está à venda?", at=NOON)
    await ana.hears("Tem MESA de centro também?", at=NOON + 60)
    (match,) = await found(ana, "jantar ainda esta a venda")
    assert match == {"message_id": first["message_id"], "excerpt": "A mesa de jantar ainda está à venda?"}
    (match,) = await found(ana, "mesa")
    assert match["excerpt"] == "Tem MESA de centro também?"
    assert [each.get("match", "left out") for each in await ana.conversations()] == ["left out"]


async def test_shows_the_words_around_the_hit(ana):
    await ana.hears("palavra " * 60 + "Orçamento\n\n  da cozinha " + "depois " * 60)
    (match,) = await found(ana, "orcamento")
    assert match["excerpt"].startswith("…")
    assert match["excerpt"].endswith("…")
    assert "palavra Orçamento da cozinha depois" in match["excerpt"]
    assert len(match["excerpt"]) <= 142


async def test_the_excerpt_holds_the_hit_where_plain_text_is_longer(ana):
    await ana.hears("…" * 300 + " ﬃ Straße ½ agulha no palheiro " + "x" * 200)
    (match,) = await found(ana, "agulha")
    assert "agulha" in match["excerpt"]


async def test_a_name_has_no_message(ana):
    await ana.hears("oi")
    assert await found(ana, "marina quintela") == [None]
    assert len(await found(ana, "oi")) == 1


async def test_two_letters_are_the_beginning_of_a_word(ana):
    await ana.hears("São 30 kg\nde uvas, e 2kg de mel")
    for q in ("kg", "de", "30", "u", "sa"):
        assert len(await found(ana, q)) == 1, q
    for q in ("vas"[1:], "el", "g"):
        assert await found(ana, q) == [], q


async def test_a_wildcard_is_a_letter(ana):
    await ana.hears("desconto de 100 reais")
    assert await found(ana, "1_0") == []
    assert await found(ana, "100%") == []


async def test_never_shows_somebody_elses_words(ana, bruno):
    await ana.hears("segredo da ana")
    await bruno.hears("segredo do bruno")
    assert [match["excerpt"] for match in await found(ana, "segredo")] == ["segredo da ana"]


@pytest.fixture
async def many(ana):
    """Conversations with a common word, a rare one, one in a name; the newest first."""
    payloads = []
    for n in range(40):
        words = ["mesa" if n % 2 else "cadeira", "jacarandá" if n in {3, 17} else "", "kg" if n == 30 else ""]
        name = "Zuleica" if n == 25 else "Cliente"
        payloads.append((" ".join(words), f"+55119000010{n:02}", name, NOON + n // 3))
    for text, sender, name, at in payloads:
        await ana.hears(text, sender, name=name, at=at)
    return ana


@pytest.mark.parametrize("q", ["mesa", "a", "jacaranda", "kg", "zuleica", "cliente", "zzz", "%", "119000010"])
async def test_a_search_finds_the_same_page_by_page(many, q):
    everything = [each["id"] for each in await many.conversations(q=q, limit=200)]
    for filters in ({"status": "open"}, {"channel": "whatsapp"}, {"unread_only": "true"}):
        filtered = [each["id"] for each in await many.conversations(q=q, **filters, limit=200)]
        assert everything == filtered, "with a filter another plan runs"
    for limit in (1, 7):
        seen, path = [], f"/conversations?q={q.replace('%', '%25')}&limit={limit}"
        while path:
            _, page = await many.get(path)
            seen += [each["id"] for each in page["items"]]
            path = page["next"]
        assert seen == everything


@pytest.mark.parametrize("q", ["+55 11 9", "(11) 9000", "119000"])
async def test_a_number_that_many_write_finds_whose_it_is(ana, q):
    """A text in so many messages is looked for in conversations as they are listed, a number without its signs too."""
    everybody = []
    for n in range(10):
        text = f"me liga: {q}" if n % 2 else "bom dia"
        entry = await ana.hears(text, f"+55119000020{n:02}", at=NOON + n)
        everybody.insert(0, entry["conversation_id"])
    for filters in ({}, {"status": "open"}, {"channel": "whatsapp"}, {"unread_only": "true"}, {"sort": "waiting"}):
        shown = [each["id"] for each in await ana.conversations(q=q, **filters)]
        assert shown == (everybody[::-1] if "sort" in filters else everybody), filters


@pytest.fixture
async def thread(ana):
    """Ten messages; two at the same second."""
    entries = [await ana.hears(f"m{n}", at=NOON + min(n, 8)) for n in range(10)]
    ids = [message["id"] for message in await ana.messages(entries[0]["conversation_id"])]
    return f"/conversations/{entries[0]['conversation_id']}/messages", ids[::-1]


async def ids_of(person, path, **query):
    status, page = await person.get(path, **query)
    assert status == 200, page
    return [each["id"] for each in page["items"]], page


async def test_shows_the_messages_around_one(ana, thread):
    path, ids = thread
    for limit, wanted in ((1, ids[4:5]), (2, ids[4:6]), (3, ids[3:6]), (4, ids[3:7]), (50, ids)):
        shown, page = await ids_of(ana, path, around=ids[4], limit=limit)
        assert shown == wanted[::-1], limit
    shown, page = await ids_of(ana, path, around=ids[4], limit=4)
    rest, _ = await ids_of(ana, page["next"])
    assert shown + rest == ids[:7][::-1]
    assert (await ids_of(ana, path, around=ids[9], limit=3))[0] == ids[7:][::-1]
    assert (await ids_of(ana, path, around=ids[0], limit=4))[0] == ids[:3][::-1]


async def test_catches_up_from_one(ana, thread):
    path, ids = thread
    assert (await ids_of(ana, path, after=ids[6]))[0] == ids[7:]
    assert (await ids_of(ana, path, after=ids[9]))[0] == []
    seen, page = await ids_of(ana, path, after=ids[0], limit=2)
    while page["has_more"]:
        more, page = await ids_of(ana, page["next"])
        seen += more
    assert seen == ids[1:]


async def test_refuses_a_message_of_elsewhere(ana, bruno, thread):
    path, ids = thread
    other = await ana.hears("outra", "+5511900000555")
    for name in ("around", "after"):
        assert (await ana.get(path, **{name: other["message_id"]}))[0] == 404
        assert (await bruno.get(path, **{name: ids[0]}))[0] == 404
        assert (await ana.get(path, **{name: "x"}))[0] == 422
    status, problem = await ana.get(path, around=ids[0], after=ids[0])
    assert (status, problem["errors"][0]["pointer"]) == (422, "after")


@pytest.mark.parametrize("sort", ["newest", "waiting"])
@pytest.mark.parametrize("limit", [1, 2, 50])
async def test_a_search_that_takes_long_goes_on_in_the_next_page(ana, monkeypatch, sort, limit):
    """Whatever of a page was found when its time was over: nothing is left out, and nothing is told twice."""
    monkeypatch.setattr(inbox_page, "PATIENCE", 0)
    monkeypatch.setattr(inbox_page, "FIRST_STEPS", 2)
    wanted = []
    for number in range(11):
        text = "mesmo?!" if number in {1, 2, 7, 10} else "mesmo"
        name = "Nadia ?!" if number == 5 else "Nadia"
        entry = await ana.hears(text, f"+55119000001{number:02}", at=NOON + number, name=name)
        wanted += [entry["conversation_id"]] if number in {1, 2, 5, 7, 10} else []
    found, cursor, sizes = [], "", set()
    while cursor is not None:
        asked = {"q": "?!", "status": "open", "sort": sort, "limit": limit}
        status, page = await ana.get("/conversations", **asked, **({"cursor": cursor} if cursor else {}))
        assert (status, page["has_more"]) == (200, page["next_cursor"] is not None)
        found += [item["id"] for item in page["items"]]
        sizes.add(len(page["items"]))
        cursor = page["next_cursor"]
    assert found == (wanted if sort == "waiting" else wanted[::-1])
    assert 0 in sizes
