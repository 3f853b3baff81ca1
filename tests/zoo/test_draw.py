"""A diagram shows the network that the code builds."""

from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from kkcv import zoo
from kkcv.errors import UnknownNetwork
from kkcv.zoo.costs import cost
from kkcv.zoo.diagram.blocks import panels
from kkcv.zoo.diagram.graph import graph
from kkcv.zoo.diagram.layout import layered
from kkcv.zoo.draw import draw as draw_anew
from kkcv.zoo.registry import FAMILIES, create_on_meta

EXAMPLES = {module.FAMILY.name: module.FAMILY.example for module in FAMILIES}
DIAGRAMS = Path(__file__).parents[2] / "docs" / "diagrams"
draw = cache(draw_anew)  # most are asked for more than once


def texts(svg: str) -> list[str]:
    """All that is written in a picture; fails when it is not well-formed."""
    return [e.text or "" for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("text")]


def titles(name: str) -> list[list[str]]:
    """What stands in the boxes of each block that is shown."""
    found = panels(create_on_meta(name))
    return [[node.title for node in panel.nodes] for panel in found]


@pytest.mark.parametrize(
    "name",
    [
        name if name in EXAMPLES.values() else pytest.param(name, marks=pytest.mark.slow)
        for name in zoo.names()
    ],
)
def test_every_network_can_be_drawn_with_all_its_stages(name: str) -> None:
    written = texts(draw(name))

    assert {stage.name for stage in cost(name).stages} <= set(written)
    assert any(name in line for line in written)


@pytest.mark.parametrize("family", [module.FAMILY.name for module in FAMILIES])
def test_the_diagrams_of_the_documentation_are_those_of_the_code(family: str) -> None:
    drawn = draw(EXAMPLES[family])

    committed = (DIAGRAMS / f"{family}.svg").read_text(encoding="utf-8")

    assert committed == drawn, "to renew them: python -m kkcv.zoo.draw docs/diagrams"


def test_every_family_has_one_diagram_of_its_own() -> None:
    assert EXAMPLES.keys() == {path.stem for path in DIAGRAMS.glob("*.svg")}
    assert all(zoo.spec(name).family.name == family for family, name in EXAMPLES.items())


def test_an_everyday_name_draws_the_same() -> None:
    assert draw_anew("resnet50") == draw("resnet50_v1.5")  # and twice the same


def test_an_unknown_network_is_not_drawn() -> None:
    with pytest.raises(UnknownNetwork, match="resnet51"):
        draw("resnet51")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", ["input", "3×3 conv, 64", "3×3 conv, 64", "+", "ReLU"]),
        ("resnet50", ["input", "1×1 conv, 256", "3×3 conv, 256", "1×1 conv, 1024", "+", "ReLU"]),
        ("seresnet50_v1.5", ["squeeze-and-excite", "+"]),
        ("densenet121", ["input", "BN", "1×1 conv, 128", "3×3 conv, 32", "concat"]),
        ("mobilenet_v2", ["1×1 conv, 384", "3×3 depthwise, 384", "1×1 conv, 64", "+"]),
        ("mobilenet_v3_large_1.0", ["5×5 depthwise, 120", "squeeze-and-excite", "+"]),
        ("mobilenet_v4_hybrid_medium", ["matmul", "softmax", "matmul", "+"]),
        ("shufflenet_v1", ["channel shuffle", "3×3 depthwise, 120", "1×1 conv, 480", "+"]),
        ("shufflenet_v2", ["channel split", "concat", "channel shuffle"]),
        ("googlenet_paper", ["3×3 max pool", "concat"]),
        ("inception_resnet_v2", ["concat", "1×1 conv, 1088", "× 0.1", "+", "ReLU"]),
    ],
)
def test_the_repeated_block_is_that_of_the_paper(name: str, expected: list[str]) -> None:
    blocks = titles(name)

    def holds(block: list[str]) -> bool:
        rest = iter(block)
        return all(title in rest for title in expected)  # in this order

    assert any(holds(block) for block in blocks), blocks


def test_a_shortcut_joins_the_input_to_the_sum() -> None:
    block = panels(create_on_meta("resnet18"))[0].nodes

    total = next(node for node in block if node.kind == "add")

    assert 0 in total.inputs  # the input, unchanged
    assert [block[i].kind for i in total.inputs if i] == ["conv"]


def test_a_block_that_cannot_be_traced_is_its_layers_in_a_row() -> None:
    class Moody(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3)
            self.act = nn.ReLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.act(self.conv(x)) if x.sum() > 0 else x

    nodes = graph(Moody(), (3, 8, 8))

    assert [(n.title, n.tags) for n in nodes] == [("input", []), ("3×3 conv, 8", ["ReLU"])]


def test_boxes_do_not_overlap_and_a_chain_is_straight() -> None:
    inputs = [(), (0,), (0,), (2,), (3,), (1, 4, 0)]  # three branches, one of them the input

    layers = layered(inputs, [50, 80, 80, 100, 80, 40])

    for layer in layers:
        for left, right in pairwise(layer):
            assert left.x + left.width / 2 < right.x - right.width / 2
    x = {p.node: p.x for layer in layers for p in layer if p.node is not None}
    assert x[2] == x[3] == x[4]
