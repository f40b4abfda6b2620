"""Notes about a contact, and one timeline across its channels."""

import pytest

NOON = 1714564800


async def timeline(person, contact_id, **query):
    status, page = await person.get(f"/contacts/{contact_id}/timeline", **query)
    assert status == 200, page
    return page["items"]


async def test_notes_come_and_go(ana, bruno):
    contact_id = (await ana.hears("oi"))["contact_id"]
    path = f"/contacts/{contact_id}/notes"
    first = await ana.made(path, {"text": "  Prefere à tarde.  "})
    assert first == {
        "id": first["id"],
        "contact_id": contact_id,
        "text": "Prefere à tarde.",
        "created_at": first["created_at"],
    }
    second = await ana.made(path, {"text": "Paga no Pix"})
    _, page = await ana.get(path, limit=1)
    assert (page["items"], page["has_more"]) == ([second], True)
    assert (await ana.get(page["next"]))[1]["items"] == [first]
    assert (await ana.get(f"/contacts/{contact_id}"))[1]["notes"] is None

    assert (await bruno.delete(f"{path}/{first['id']}"))[0] == 404
    assert (await bruno.get(path))[0] == 404
    assert (await bruno.post(path, {"text": "x"}))[0] == 404
    assert (await ana.delete(f"{path}/{first['id']}"))[0] == 204
    assert (await ana.delete(f"{path}/{first['id']}"))[0] == 404
    assert (await ana.get(path))[1]["items"] == [second]


@pytest.mark.parametrize("text", ["", "   ", "x" * 10_001, None, "a\x00b"])
async def test_refuses_a_note_without_words_or_with_too_many(ana, text):
    contact_id = (await ana.hears("oi"))["contact_id"]
    status, problem = await ana.post(f"/contacts/{contact_id}/notes", {"text": text})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/text")


@pytest.fixture
async def known(ana, eventually):
    """A contact with one of everything, on two channels."""
    compiled = {
        "version": 1,
        "trigger": "message.received",
        "when": {"field": "message.text", "op": "contains", "value": "mesa"},
        "then": [{"action": "notify"}],
    }
    rule = await ana.made("/rules", {"name": "Mesas", "compiled": compiled})
    entry = await ana.hears("A mesa chegou?", at=NOON)
    contact_id = entry["contact_id"]
    await ana.made(f"/conversations/{entry['conversation_id']}/messages", {"body": "Chega amanhã"})
    await ana.hears("olá", "+5511900000888", at=NOON + 60, account="109900000000002")
    task = await ana.made("/tasks", {"title": "Ligar", "description": "Às 15h", "contact_id": contact_id})
    note = await ana.made(f"/contacts/{contact_id}/notes", {"text": "Boa cliente"})
    other = await ana.made("/contacts", {"handle": "maria@example.com", "name": "Maria"})
    other_note = await ana.made(f"/contacts/{other['id']}/notes", {"text": "Da Maria"})
    await ana.post(f"/contacts/{contact_id}/merge", {"contact_id": other["id"]})
    await eventually(lambda: ana.notifications(type="rule_match"))
    return {"entry": entry, "contact_id": contact_id, "task": task, "note": note, "rule": rule, "other": other,
            "other_note": other_note}  # fmt: skip


async def test_one_timeline_tells_everything(ana, bruno, known):
    items = await timeline(ana, known["contact_id"])
    by_kind = {}
    for item in items:
        by_kind.setdefault(item["kind"], []).append(item)
    assert [item["at"] for item in items] == sorted((item["at"] for item in items), reverse=True)
    talk = known["entry"]["conversation_id"]
    assert by_kind["message"][-1] == {
        "at": "2024-05-01T12:00:00Z",
        "kind": "message",
        "id": known["entry"]["message_id"],
        "conversation_id": talk,
        "title": "inbound",
        "text": "A mesa chegou?",
    }
    assert [(item["title"], item["text"]) for item in by_kind["message"]][:1] == [("outbound", "Chega amanhã")]
    assert [(item["id"], item["title"], item["text"]) for item in by_kind["task"]] == [
        (known["task"]["id"], "Ligar", "Às 15h")
    ]
    assert {item["text"] for item in by_kind["note"]} == {"Boa cliente", "Da Maria"}
    assert [(item["id"], item["title"]) for item in by_kind["merge"]] == [(known["other"]["id"], "Maria")]
    assert [(item["id"], item["title"], item["conversation_id"]) for item in by_kind["rule_match"]] == [
        (known["rule"]["id"], "Mesas", talk)
    ]
    assert (await bruno.get(f"/contacts/{known['contact_id']}/timeline"))[0] == 404


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_of_the_timeline_hold_everything_once(ana, known, limit):
    everything = await timeline(ana, known["contact_id"])
    seen, path = [], f"/contacts/{known['contact_id']}/timeline?limit={limit}"
    while path:
        _, page = await ana.get(path)
        seen += page["items"]
        path = page["next"]
    assert seen == everything


async def test_matches_of_one_moment_are_all_there(ana, eventually):
    for n in range(3):
        await ana.made("/rules", {"text": "Se a mensagem contém 'mesa', me avise", "name": f"Regra {n}"})
    contact_id = (await ana.hears("mesa"))["contact_id"]
    await eventually(lambda: ana.notifications(type="rule_match"), lambda found: len(found) == 3)
    titles, path = [], f"/contacts/{contact_id}/timeline?limit=1"
    while path:
        _, page = await ana.get(path)
        titles += [item["title"] for item in page["items"] if item["kind"] == "rule_match"]
        path = page["next"]
    assert sorted(titles) == ["Regra 0", "Regra 1", "Regra 2"]


async def test_notes_follow_a_merge_and_come_back(ana, known):
    contact_id, other_id = known["contact_id"], known["other"]["id"]
    _, page = await ana.get(f"/contacts/{contact_id}/notes")
    assert {note["text"] for note in page["items"]} == {"Boa cliente", "Da Maria"}
    assert (await ana.post(f"/contacts/{contact_id}/unmerge"))[0] == 200
    assert [note["text"] for note in (await ana.get(f"/contacts/{contact_id}/notes"))[1]["items"]] == ["Boa cliente"]
    assert (await ana.get(f"/contacts/{other_id}/notes"))[1]["items"] == [
        known["other_note"] | {"contact_id": other_id}
    ]


async def test_an_erased_contact_leaves_no_notes(ana, known):
    await ana.delete(f"/contacts/{known['contact_id']}")
    assert (await ana.get(f"/contacts/{known['contact_id']}/notes"))[0] == 404
