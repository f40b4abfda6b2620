"""Any JSON can be judged as a flow, and a valid flow always ends."""

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from alfred.flows.definition import read, validate
from alfred.flows.simulate import simulate
from alfred.rules.conditions import Contact, Situation

NOW = datetime(2026, 1, 5, 20, 30, tzinfo=UTC)
ids = st.sampled_from(["a", "b", "c", "d", "e"])
targets = st.none() | ids
conditions = st.sampled_from(
    [
        {"field": "contact.vip", "op": "eq", "value": True},
        {"field": "time.hour", "op": "between", "value": [8, 2]},
    ]
)
actions = st.sampled_from([{"action": "notify"}, {"action": "add_tag", "tag": "vip"}])
cases = st.lists(st.fixed_dictionaries({"value": st.integers(1, 7), "next": targets}), min_size=1, max_size=3)
nodes = st.one_of(
    st.fixed_dictionaries({"id": ids, "type": st.just("condition"), "when": conditions, "yes": targets, "no": targets}),
    st.fixed_dictionaries(
        {
            "id": ids,
            "type": st.just("switch"),
            "field": st.just("time.weekday"),
            "cases": cases,
            "default": targets,
        }
    ),
    st.fixed_dictionaries({"id": ids, "type": st.just("action"), "action": actions, "next": targets}),
)
flows = st.fixed_dictionaries(
    {"start": ids, "nodes": st.lists(nodes, min_size=1, max_size=5, unique_by=lambda node: node["id"])}
)
keys = st.sampled_from(["start", "nodes", "id", "type", "when", "yes", "cases", "next", "field", "action", "value"])
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from(["\0", "\ud800", "a", "condition", "switch", "action", "time.hour"])
)  # fmt: skip
anything = st.recursive(
    scalars | nodes,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | st.text(), inner, max_size=4),
    max_leaves=20,
)
bent = st.fixed_dictionaries({"start": ids | anything, "nodes": st.lists(nodes | anything, max_size=5)})


@given(anything | bent)
@settings(max_examples=150, deadline=None)
def test_any_json_gets_a_verdict(definition):
    verdict = validate(definition)
    assert verdict.valid is (not verdict.errors)
    json.dumps(verdict.model_dump(mode="json")).encode()
    if verdict.valid:
        simulate(definition, Situation(at=NOW))


@given(flows, st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_valid_flow_ends_at_a_node_and_never_meets_one_twice(definition, vip):
    if not validate(definition).valid:
        return
    walked = simulate(definition, Situation(at=NOW, contact=Contact(vip=vip)))
    visited = [step.id for step in walked.matched_nodes]
    assert visited[0] == definition["start"]
    assert visited[-1] == walked.end_node
    assert len(set(visited)) == len(visited)
    assert len(walked.actions) == sum(step.type == "action" for step in walked.matched_nodes)


@given(flows)
@settings(max_examples=100, deadline=None)
def test_a_valid_flow_goes_through_json_unchanged(definition):
    if validate(definition).valid:
        built = read(definition)
        assert read(json.loads(built.model_dump_json())) == built
        assert read(built.model_dump(mode="json", exclude_none=True)) == built
