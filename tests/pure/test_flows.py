"""Flows are judged with the contract's codes, and walked without doing anything."""

from datetime import UTC, datetime

import pytest

from alfred.flows.definition import InvalidFlow, read, validate
from alfred.flows.simulate import simulate
from alfred.rules.conditions import Contact, Conversation, Situation

VIP = {"field": "contact.vip", "op": "eq", "value": True}
NOTIFY = {"action": "notify", "title": "Olhe"}
NOW = datetime(2026, 1, 5, 20, 30, tzinfo=UTC)


def ask(node_id, yes=None, no=None, **more):
    return {"id": node_id, "type": "condition", "when": VIP, "yes": yes, "no": no, **more}


def act(node_id, following=None, **more):
    return {"id": node_id, "type": "action", "action": NOTIFY, "next": following, **more}


def switch(node_id, field, cases, default=None):
    listed = [{"value": value, "next": following} for value, following in cases]
    return {"id": node_id, "type": "switch", "field": field, "cases": listed, "default": default}


def flow(*nodes, start="a"):
    return {"start": start, "nodes": list(nodes)}


def errors(definition):
    return [(error.code, error.node_id) for error in validate(definition).errors]


SOUND = [
    flow(act("a")),
    flow(ask("a", yes="b"), act("b")),
    flow(ask("a", "b", "c"), act("b", "d"), act("c", "d"), act("d")),
    flow(switch("a", "channel.type", [("whatsapp", "b"), ("email", None)], "c"), act("b"), act("c")),
    flow(switch("a", "time.weekday", [("monday", "b"), (7, "b")]), act("b")),
    flow(switch("a", "contact.vip", [("true", "b")]), act("b")),
    {"start": "a", "nodes": [{"id": "a", "type": "action", "action": NOTIFY}]},
    flow(ask("a", "b", None, label="É VIP?"), act("b", label=None)),
    flow(*(act(str(n), str(n + 1)) for n in range(499)), act("499"), start="0"),
]


@pytest.mark.parametrize("definition", SOUND)
def test_finds_nothing_wrong(definition):
    assert validate(definition).model_dump() == {"valid": True, "errors": (), "warnings": ()}


UNSOUND = [
    (None, [("missing_start", None)]),
    ([], [("missing_start", None)]),
    ("a", [("missing_start", None)]),
    ({}, [("missing_start", None)]),
    ({"start": "a"}, [("missing_start", None)]),
    ({"start": "a", "nodes": {"a": act("a")}}, [("missing_start", None)]),
    ({"start": "a", "nodes": []}, [("missing_start", None)]),
    ({"nodes": [act("a")]}, [("missing_start", None)]),
    ({"start": None, "nodes": [act("a")]}, [("missing_start", None)]),
    ({"start": ["a"], "nodes": [act("a")]}, [("missing_start", None)]),
    (flow(act("a"), start="b"), [("missing_start", None)]),
    ({**flow(act("a")), "name": "x"}, [("missing_start", None)]),
    (flow(act("a"), act("a")), [("duplicate_id", "a")]),
    (flow(act("a"), act("a"), act("a")), [("duplicate_id", "a")] * 2),
    (flow(act("a", "ghost")), [("unknown_target", "a")]),
    (flow(ask("a", "x", "y")), [("unknown_target", "a")] * 2),
    (flow(switch("a", "contact.vip", [(True, "x")], "y")), [("unknown_target", "a")] * 2),
    (flow(act("a", "a")), [("cycle", "a")]),
    (flow(act("a", "b"), act("b", "c"), act("c", "a")), [("cycle", "c")]),
    (flow(ask("a", "b", "c"), act("b"), act("c", "a")), [("cycle", "c")]),
    (flow(switch("a", "contact.vip", [(True, "b")], "a"), act("b")), [("cycle", "a")]),
    (flow(act("a"), act("x", "y"), act("y", "x")), [("cycle", "y")]),
    (flow(ask("a")), [("no_branch", "a")]),
    (flow(switch("a", "contact.vip", [], "b"), act("b")), [("no_branch", "a")]),
    (flow({"id": "a", "type": "switch", "field": "contact.vip"}), [("no_branch", "a")]),
    (flow(ask("a", "b", when=None), act("b")), [("invalid_condition", "a")]),
    (flow(ask("a", "b", when={"field": "contact.vip", "op": "gt", "value": 1}), act("b")),
     [("invalid_condition", "a")]),
    (flow(ask("a", "b", colour="red"), act("b")), [("invalid_condition", "a")]),
    (flow(ask("a", 5, "b"), act("b")), [("invalid_condition", "a")]),
    (flow(switch("a", "contact.mood", [(True, "b")]), act("b")), [("invalid_condition", "a")]),
    (flow(switch("a", "time.hour", [(25, "b")]), act("b")), [("invalid_condition", "a")]),
    (flow(switch("a", "time.hour", [([1], "b")]), act("b")), [("invalid_condition", "a")]),
    (flow({**switch("a", "time.hour", []), "cases": [5]}), [("invalid_condition", "a")]),
    (flow(switch("a", "time.hour", [(1, "b")] * 101), act("b")), [("invalid_condition", "a")]),
    (flow(act("a", action=None)), [("invalid_action", "a")]),
    (flow(act("a", action={"action": "explode"})), [("invalid_action", "a")]),
    (flow(act("a", action={"action": "add_tag"})), [("invalid_action", "a")]),
    (flow(act("a", label="x" * 201)), [("invalid_action", "a")]),
    (flow({"id": "a", "type": "delay"}), [("invalid_action", "a")]),
    (flow({"id": "a"}), [("invalid_action", "a")]),
    (flow(act("a"), None), [("invalid_action", None)]),
    (flow(act("a"), {"type": "action", "action": NOTIFY}), [("invalid_action", None)]),
    (flow(act("a"), act(7)), [("invalid_action", None)]),
    (flow(*(act(str(n)) for n in range(501)), start="0"), [("too_large", None)]),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "expected"), UNSOUND)
def test_names_what_is_wrong(definition, expected):
    verdict = validate(definition)
    assert not verdict.valid
    assert errors(definition) == expected
    assert all(error.message[0].isupper() and error.message.endswith(".") for error in verdict.errors)


def test_warns_of_nodes_that_nothing_leads_to():
    verdict = validate(flow(act("a"), act("b", "c"), act("c")))
    assert verdict.valid
    assert [(each.code, each.node_id) for each in verdict.warnings] == [
        ("unreachable", "b"),
        ("unreachable", "c"),
    ]


def test_many_paths_to_one_node_are_no_cycle():
    ladder = [ask(f"{n}", f"{n + 1}", f"{n + 1}") for n in range(499)]
    assert validate(flow(*ladder, act("499"), start="0")).valid


def test_a_long_circle_is_found_without_recursion():
    circle = [act(str(n), str((n + 1) % 500)) for n in range(500)]
    assert errors(flow(*circle, start="0")) == [("cycle", "499")]


TRIAGE = flow(
    switch("a", "channel.type", [("whatsapp", "b"), ("email", "t")], "d"),
    ask("b", "c", "t", label="VIP?"),
    act("c", "t", action={"action": "create_task", "title": "Ligar"}, label="Tarefa"),
    switch("t", "conversation.tags", [("Atenção", "e"), ("vip", None)]),
    act("d"),
    act("e", action={"action": "set_status", "status": "pending"}),
)


def path(situation):
    walked = simulate(TRIAGE, situation)
    steps = [(step.id, step.outcome) for step in walked.matched_nodes]
    return steps, [action.action for action in walked.actions], walked.end_node


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ({"channel": "whatsapp", "contact": Contact(vip=True)},
         ([("a", "whatsapp"), ("b", "yes"), ("c", "done"), ("t", "default")], ["create_task"], "t")),
        ({"channel": "whatsapp", "conversation": Conversation(tags=("atencao",))},
         ([("a", "whatsapp"), ("b", "no"), ("t", "Atenção"), ("e", "done")], ["set_status"], "e")),
        ({"channel": "email", "conversation": Conversation(tags=("VIP",))},
         ([("a", "email"), ("t", "vip")], [], "t")),
        ({"channel": "instagram"}, ([("a", "default"), ("d", "done")], ["notify"], "d")),
        ({}, ([("a", "default"), ("d", "done")], ["notify"], "d")),
    ],
)  # fmt: skip
def test_walks_one_path(situation, expected):
    assert path(Situation(at=NOW, **situation)) == expected


def test_tells_the_whole_step():
    walked = simulate(flow(ask("a", "b", label="VIP?"), act("b")), Situation(at=NOW, contact=Contact(vip=True)))
    assert walked.model_dump(mode="json") == {
        "matched_nodes": [
            {"id": "a", "type": "condition", "label": "VIP?", "outcome": "yes"},
            {"id": "b", "type": "action", "label": None, "outcome": "done"},
        ],
        "actions": [NOTIFY],
        "end_node": "b",
    }


def test_the_outcome_of_a_switch_is_its_value_in_stored_form():
    walked = simulate(flow(switch("a", "time.weekday", [("monday", None)])), Situation(at=NOW))
    assert walked.matched_nodes[0].outcome == 1
    walked = simulate(flow(switch("a", "contact.vip", [("false", None)])), Situation(at=NOW))
    assert walked.matched_nodes[0].outcome is False


@pytest.mark.parametrize("definition", [definition for definition, _ in UNSOUND])
def test_an_unsound_flow_does_not_run(definition):
    with pytest.raises(InvalidFlow):
        simulate(definition, Situation(at=NOW))


def test_a_built_flow_is_judged_too():
    built = read(flow(act("a", "b"), act("b")))
    circle = built.model_copy(update={"nodes": (built.nodes[0], built.nodes[1].model_copy(update={"next": "a"}))})
    with pytest.raises(InvalidFlow):
        simulate(circle, Situation(at=NOW))
