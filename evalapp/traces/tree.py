"""The observations of a trace as a tree, whatever parents they claim to have (pure)."""

from dataclasses import dataclass, field
from functools import cached_property

from evalapp.traces.chat import parse


@dataclass(eq=False)
class Node:
    """An observation in its place. Nodes are read in order of a walk: parents first, then by start and id."""

    observation: object
    parent: "Node | None" = None
    depth: int = 0
    children: list = field(default_factory=list)
    position: int = 0

    @cached_property
    def input(self):
        """The input, parsed when it is JSON."""
        return parse(self.observation.input)

    @cached_property
    def output(self):
        """The output, parsed when it is JSON."""
        return parse(self.observation.output)

    @cached_property
    def metadata(self):
        """The metadata as a dict; {} when it is something else."""
        value = parse(self.observation.metadata)
        return value if isinstance(value, dict) else {}

    @property
    def visual_depth(self):
        """The depth as far as a narrow column can show it."""
        return min(self.depth, 12)

    def ancestors(self):
        """Yield the parents, nearest first."""
        node = self.parent
        while node:
            yield node
            node = node.parent


def walk(observations):
    """Return the nodes of all observations, parents before children, siblings by start and id.

    A parent that is missing, or that would close a circle, is ignored: the observation becomes a root. Nothing
    recurses, so a chain of 5,000 is as good as a row of 5,000.
    """
    nodes = {}
    for observation in observations:
        nodes.setdefault(observation.id, Node(observation))
    for node in nodes.values():
        parent = nodes.get(node.observation.parent_id)
        if parent is not None and parent is not node:
            node.parent = parent
    _break_circles(nodes.values())
    roots = []
    for node in nodes.values():
        (node.parent.children if node.parent else roots).append(node)
    ordered, waiting = [], sorted(roots, key=_order, reverse=True)
    while waiting:
        node = waiting.pop()
        node.depth = node.parent.depth + 1 if node.parent else 0
        node.position = len(ordered)
        node.children.sort(key=_order)
        ordered.append(node)
        waiting.extend(reversed(node.children))
    return ordered


def _break_circles(nodes):
    """Each node is climbed from once; meeting the present climb again means a circle, which is cut there."""
    climbed = {}
    for number, start in enumerate(nodes):
        node = start
        while node is not None and id(node) not in climbed:
            climbed[id(node)] = number
            if node.parent is not None and climbed.get(id(node.parent)) == number:
                node.parent = None
            node = node.parent


def _order(node):
    return (node.observation.start_time, node.observation.id)
