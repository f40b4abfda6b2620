"""What rules do: each action, once, for their own user only."""

import asyncio
from datetime import datetime, timedelta

import pytest

from alfred.crm.automation import told
from alfred.rules.actions import Notify, SendReply
from tests.flow.rules import NOTIFY, matches, outbound, rule, says, tasks
from tests.people import Person


class Acted:
    """Somebody whose rule did everything that a rule can do, to one message: the rule, the message and the match."""

    def __init__(self, person, made, entry, match):
        self.person, self.made, self.entry, self.match = person, made, entry, match
        self.about = {"conversation_id": entry["conversation_id"], "contact_id": entry["contact_id"]}


@pytest.fixture(scope="module")
async def acted(http, address, soon):
    person = await Person.sign_up(http, address, "Alma")
    made = await rule(
        person,
        {"action": "notify", "title": "Olhe isto"},
        {"action": "create_task", "title": "Ligar", "priority": "urgent", "due_in": "PT2H"},
        {"action": "add_tag", "tag": "quente"},
        {"action": "set_status", "status": "pending"},
        {"action": "send_reply", "body": "Já vamos responder."},
        name="Tudo",
    )
    entry = await person.hears("Tem desconto?")
    (match,) = await soon(lambda: matches(person))
    return Acted(person, made, entry, match)


async def test_notes_what_it_matched_and_did(acted):
    match, made = acted.match, acted.made
    assert match["message_id"] == acted.entry["message_id"]
    assert match["conversation_id"] == acted.entry["conversation_id"]
    assert match["payload"]["actions"] == made["compiled"]["then"]
    status, after = await acted.person.get(f"/rules/{made['id']}")
    assert (status, after["match_count"]) == (200, 1)
    assert after["last_matched_at"] is not None
    assert after == made | {name: after[name] for name in ("match_count", "last_matched_at")}


async def test_notifies(acted, eventually):
    (told,) = await eventually(lambda: acted.person.notifications(type="rule_match"))
    expected = {"title": "Olhe isto", "body": "Tem desconto?", "rule_id": acted.made["id"], "seen": False}
    assert told == told | expected | acted.about


async def test_makes_a_task(acted):
    (task,) = await tasks(acted.person)
    assert task == task | {"title": "Ligar", "priority": "urgent", "status": "open", **acted.about}
    (received,) = await acted.person.events("message.received")
    due = datetime.fromisoformat(task["due_date"]) - datetime.fromisoformat(received["created_at"])
    assert due == timedelta(hours=2)


async def test_changes_the_conversation(acted):
    (conversation,) = await acted.person.conversations()
    assert (conversation["tags"], conversation["status"]) == (["quente"], "pending")
    assert (conversation["snippet"], conversation["last_message_direction"]) == ("Já vamos responder.", "outbound")
    changes = {
        (name, str(value))
        for event in await acted.person.events("conversation.updated")
        if event["payload"]["by_rule"] == acted.made["id"]
        for name, value in event["payload"].items()
    }
    assert {("tags", "['quente']"), ("status", "pending")} <= changes


async def test_replies(acted):
    reply, _ = await acted.person.messages(acted.entry["conversation_id"])
    assert reply == reply | {"body": "Já vamos responder.", "direction": "outbound", "status": "queued"}
    (sent,) = await acted.person.events("message.sent")
    assert (sent["message_id"], sent["payload"]["by_rule"]) == (reply["id"], True)


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
    entry = await ana.hears("bom dia")  # says nothing that the rule waits for: it may be read after the rule is made
    await ana.patch(f"/conversations/{entry['conversation_id']}", {"tags": [f"{n}" for n in range(50)]})
    await rule(ana, {"action": "add_tag", "tag": "x"}, when=says("oi"))
    await ana.hears("oi")
    await all_done(ana)
    assert len((await ana.get(f"/conversations/{entry['conversation_id']}"))[1]["tags"]) == 50
    assert len(await matches(ana)) == 2


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


def test_long_texts_of_actions_are_cut_in_the_log():
    actions = [SendReply(action="send_reply", body=letters * 501) for letters in "ab"]
    assert [(len(each["body"]), each["body"][-2:]) for each in told(actions)] == [(500, "a…"), (500, "b…")]
    assert told([SendReply(action="send_reply", body="a" * 500), Notify(action="notify")]) == [
        {"action": "send_reply", "body": "a" * 500},
        {"action": "notify"},
    ]
