"""What is wrong with a flow: any JSON judged as a graph that must begin, branch and end."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from alfred.fault_sentences import sentence_of
from alfred.flows.graph import Edges, back_edges, reachable
from alfred.flows.nodes import (
    MAX_NODES,
    ActionNode,
    Case,
    ConditionNode,
    Definition,
    Node,
    SwitchNode,
)
from alfred.rules.fields import Value

__all__ = [
    "ActionNode", "Case", "ConditionNode", "Definition", "InvalidFlow", "Node", "Problem", "SwitchNode",
    "Validation", "read", "validate",
]  # fmt: skip

Code = Literal[
    "missing_start", "duplicate_id", "unknown_target", "cycle", "unreachable", "no_branch",
    "invalid_condition", "invalid_action", "too_large",
]  # fmt: skip


class Problem(Value):
    """What is wrong, and with which node (null: with the flow itself)."""

    node_id: str | None
    code: Code
    message: str


class Validation(Value):
    """The verdict: valid without errors, whatever the warnings."""

    valid: bool
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


_NODE: TypeAdapter[Node] = TypeAdapter(Node, config=ConfigDict(defer_build=True))


def validate(definition: object) -> Validation:
    """Judge any JSON at all as a flow."""
    nodes = definition.get("nodes") if isinstance(definition, dict) else None
    if not isinstance(definition, dict) or not isinstance(nodes, list | tuple):
        return _verdict([_problem(None, "missing_start", 'a flow is {"start": id, "nodes": [..]}')])
    if len(nodes) > MAX_NODES:
        return _verdict([_problem(None, "too_large", f"a flow has at most {MAX_NODES} nodes")])
    edges: Edges = {}
    for node in nodes:
        edges.setdefault(_id(node) or "", []).extend(target for _, target in _targets(node))
    start = definition.get("start")
    errors = [*_start_problems(definition, nodes, start), *_node_problems(nodes)]
    for source, target in back_edges(edges):
        errors.append(_problem(source, "cycle", f"going on to {target!r} leads back here: a flow must end"))
    return _verdict(errors, list(_unreachable(nodes, edges, start)))


def _verdict(errors: list[Problem], warnings: list[Problem] | None = None) -> Validation:
    return Validation(valid=not errors, errors=tuple(errors), warnings=tuple(warnings or ()))


def _problem(node_id: str | None, code: Code, message: str) -> Problem:
    return Problem(node_id=node_id, code=code, message=f"{message[:1].upper()}{message[1:].rstrip('.')}.")


def _id(node: object) -> str | None:
    """A node's id where it has one that can be shown."""
    found = node.get("id") if isinstance(node, dict) else None
    return found if isinstance(found, str) and found.isprintable() else None


def _targets(node: object) -> Iterator[tuple[str, str]]:
    """Each way out of a raw node that names another: the key, the id."""
    if not isinstance(node, dict):
        return
    keys = {"condition": ("yes", "no"), "switch": ("default",), "action": ("next",)}
    kind = node.get("type")
    for key in keys.get(kind, ()) if isinstance(kind, str) else ():
        if isinstance(node.get(key), str):
            yield key, node[key]
    cases = node.get("cases")
    if kind == "switch" and isinstance(cases, list | tuple):
        for case in cases:
            if isinstance(case, dict) and isinstance(case.get("next"), str):
                yield "next", case["next"]


def _start_problems(definition: dict[Any, Any], nodes: Any, start: object) -> Iterator[Problem]:
    if unknown := [key for key in definition if key not in {"start", "nodes"}]:
        yield _problem(None, "missing_start", f"a flow has start and nodes, not {str(unknown[0])[:50]!r}")
    if not isinstance(start, str) or not start:
        yield _problem(None, "missing_start", "start must name the node to begin with")
    elif start not in {_id(node) for node in nodes}:
        yield _problem(None, "missing_start", f"start names {start[:100]!r}, which is no node")


def _node_problems(nodes: Any) -> Iterator[Problem]:
    known = {_id(node) for node in nodes} - {None}
    seen: set[str] = set()
    for node in nodes:
        node_id = _id(node)
        if node_id is not None and node_id in seen:
            yield _problem(node_id, "duplicate_id", "another node has this id")
        seen |= {node_id} if node_id is not None else set()
        yield from _node_errors(node, node_id)
        for key, target in _targets(node):
            if target not in known:
                yield _problem(node_id, "unknown_target", f"{key} names {target[:100]!r}, which is no node")


def _node_errors(node: object, node_id: str | None) -> Iterator[Problem]:
    raw: dict[Any, Any] = node if isinstance(node, dict) else {}
    kind = raw.get("type")
    code: Code = "invalid_condition" if kind in ("condition", "switch") else "invalid_action"
    try:
        _NODE.validate_python(node)
    except ValidationError as error:
        yield _problem(node_id, code, _first(error))
    if kind == "condition" and raw.get("yes") is None and raw.get("no") is None:
        yield _problem(node_id, "no_branch", "a condition needs yes or no")
    if kind == "switch" and not raw.get("cases"):
        yield _problem(node_id, "no_branch", "a switch needs at least one case")


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, in one line; characters that cannot be shown are escaped."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(step) for step in first["loc"][1:])
    told = f"{where}: {sentence_of(first)}" if where else sentence_of(first)
    return told[:300].encode("utf-8", "backslashreplace").decode()


def _unreachable(nodes: Any, edges: Edges, start: object) -> Iterator[Problem]:
    if not isinstance(start, str) or start not in edges:
        return
    reached = reachable(edges, start)
    for node_id in dict.fromkeys(_id(node) for node in nodes):
        if node_id is not None and node_id not in reached:
            yield _problem(node_id, "unreachable", "no path leads here from the start")


class InvalidFlow(ValueError):
    """A draft that is still unsound cannot run."""

    def __init__(self, verdict: Validation) -> None:
        super().__init__("; ".join(problem.message for problem in verdict.errors))
        self.verdict = verdict

    def __reduce__(self) -> tuple[type["InvalidFlow"], tuple[Validation]]:
        return type(self), (self.verdict,)  # it may come from another process


def read(definition: object) -> Definition:
    """The definition built; InvalidFlow when `validate` finds errors."""
    if isinstance(definition, Definition):
        definition = definition.model_dump()
    verdict = validate(definition)
    if not verdict.valid:
        raise InvalidFlow(verdict)
    return Definition.model_validate(definition)
