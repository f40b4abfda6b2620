"""The two questions a flow's graph must answer: does it end, and is every node reached."""

from collections.abc import Iterator

Edges = dict[str, list[str]]


def back_edges(edges: Edges) -> Iterator[tuple[str, str]]:
    """The edges that close a cycle; none when there is none. Without recursion, each edge once."""
    open_, closed = set[str](), set[str]()
    for root in edges:
        if root in closed:
            continue
        open_.add(root)
        trail = [(root, iter(edges[root]))]
        while trail:
            node, targets = trail[-1]
            target = next(targets, None)
            if target is None:
                open_.discard(node)
                closed.add(node)
                trail.pop()
            elif target in open_:
                yield node, target
            elif target in edges and target not in closed:
                open_.add(target)
                trail.append((target, iter(edges[target])))


def reachable(edges: Edges, start: str) -> set[str]:
    """Every node on some path from the start."""
    reached, waiting = {start}, [start]
    while waiting:
        for target in edges.get(waiting.pop(), ()):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached
