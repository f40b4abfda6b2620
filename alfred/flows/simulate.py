"""Walks a flow for one situation and tells the path, without doing anything."""

from typing import Literal

from alfred.flows.definition import ActionNode, ConditionNode, Node, read
from alfred.rules.conditions import Action, Situation, equals, match
from alfred.rules.fields import Scalar, Value


class Step(Value):
    """One node on the path; `outcome` is yes, no, default, done, or the value of the case taken."""

    id: str
    type: Literal["condition", "switch", "action"]
    label: str | None = None
    outcome: Scalar


class Simulation(Value):
    """The path, the actions found on it, and the node where it ended."""

    matched_nodes: tuple[Step, ...]
    actions: tuple[Action, ...]
    end_node: str


def simulate(definition: object, situation: Situation) -> Simulation:
    """Follow the flow to its end; InvalidFlow for a definition that `validate` refuses."""
    flow = read(definition)
    nodes = {node.id: node for node in flow.nodes}
    steps: list[Step] = []
    actions: list[Action] = []
    here: str | None = flow.start
    while here is not None:
        node = nodes[here]
        outcome, here = _leave(node, situation)
        steps.append(Step(id=node.id, type=node.type, label=node.label, outcome=outcome))
        if isinstance(node, ActionNode):
            actions.append(node.action)
    return Simulation(matched_nodes=tuple(steps), actions=tuple(actions), end_node=steps[-1].id)


def _leave(node: Node, situation: Situation) -> tuple[Scalar, str | None]:
    """The outcome of a node and where it leads."""
    if isinstance(node, ActionNode):
        return "done", node.next
    if isinstance(node, ConditionNode):
        return ("yes", node.yes) if match(node.when, situation) else ("no", node.no)
    for case in node.cases:
        if equals(node.field, case.value, situation):
            return case.value, case.next
    return "default", node.default
