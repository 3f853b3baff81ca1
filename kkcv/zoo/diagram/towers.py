"""Layers in a row of which some see only their group of maps: a tower for each group.

As in figure 2 of the AlexNet paper: where a convolution is not grouped, it reads all towers.
"""

from dataclasses import replace

from .graph import Node


def groups_of(node: Node) -> int:
    return next((int(t.split()[0]) for t in node.tags if t.endswith(" groups")), 1)


def count_towers(nodes: list[Node]) -> int:
    """How many towers there are: the number of groups, which must be the same everywhere."""
    found = {groups_of(node) for node in nodes} - {1}
    chain = all(node.inputs == (i - 1,) for i, node in enumerate(nodes) if i)
    return found.pop() if chain and len(found) == 1 else 1


def towers(nodes: list[Node], count: int) -> list[Node]:
    """The graph with every map layer once for each tower; vectors and scores stay whole."""
    found: list[Node] = []
    before: list[int] = []  # where the last layer's parts stand
    for node in nodes:
        if node.kind == "input" or len(node.shape) == 1:
            found.append(replace(node, inputs=tuple(before)))
            before = [len(found) - 1]
            continue
        own = node.kind != "conv" or groups_of(node) == count
        here = []
        for tower in range(count):
            inputs = (before[tower],) if own and len(before) == count else tuple(before)
            found.append(part(node, count, inputs))
            here.append(len(found) - 1)
        before = here
    return found


def part(node: Node, count: int, inputs: tuple[int, ...]) -> Node:
    channels = node.shape[0]
    title = node.title.replace(f", {channels}", f", {channels // count}")
    tags = [tag for tag in node.tags if not tag.endswith(" groups")]
    shape = (channels // count, *node.shape[1:])
    return replace(node, title=title, tags=tags, inputs=inputs, shape=shape)
