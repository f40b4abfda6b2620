"""Walks a flow for one situation and tells the path, without doing anything."""

from typing import Literal

from alfred.flows.definition import ActionNode, ConditionNode, Definition, Node, read
from alfred.rules.conditions import Action, Situation, equals, match, match_in_slices
from alfred.rules.fields import Scalar, Value
from alfred.rules.pace import Pace


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


class Walk:
    """On the way through a flow: the node where it stands, until there is none."""

    def __init__(self, flow: Definition, situation: Situation) -> None:
        self._nodes = {node.id: node for node in flow.nodes}
        self._situation = situation
        self._steps: list[Step] = []
        self._actions: list[Action] = []
        self.node: Node | None = self._nodes[flow.start]

    def go(self, node: Node, *, holds: bool = False) -> None:
        """Leave the node; `holds` says whether its condition does, if it has one."""
        outcome, following = self._way(node, holds=holds)
        self._steps.append(Step(id=node.id, type=node.type, label=node.label, outcome=outcome))
        if isinstance(node, ActionNode):
            self._actions.append(node.action)
        self.node = None if following is None else self._nodes[following]

    @property
    def simulation(self) -> Simulation:
        """The way so far."""
        return Simulation(matched_nodes=tuple(self._steps), actions=tuple(self._actions), end_node=self._steps[-1].id)

    def _way(self, node: Node, *, holds: bool) -> tuple[Scalar, str | None]:
        """The outcome of a node and where it leads."""
        if isinstance(node, ActionNode):
            return "done", node.next
        if isinstance(node, ConditionNode):
            return ("yes", node.yes) if holds else ("no", node.no)
        for case in node.cases:
            if equals(node.field, case.value, self._situation):
                return case.value, case.next
        return "default", node.default


def simulate(definition: object, situation: Situation) -> Simulation:
    """Follow the flow to its end; InvalidFlow for a definition that `validate` refuses."""
    walk = Walk(read(definition), situation)
    while (node := walk.node) is not None:
        walk.go(node, holds=isinstance(node, ConditionNode) and match(node.when, situation))
    return walk.simulation


async def simulate_in_slices(flow: Definition, situation: Situation, pace: Pace) -> Simulation:
    """The same for a flow that was read, so that nobody else waits for it."""
    walk = Walk(flow, situation)
    while (node := walk.node) is not None:
        await pace.rest()
        holds = isinstance(node, ConditionNode) and await match_in_slices(node.when, situation, pace)
        walk.go(node, holds=holds)
    return walk.simulation
