"""A diagram shows the network that the code builds, and what its paper is about."""

import re
import sys
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

from docs.zoo_pages.diagrams import FOLDERS, WIDTHS, diagrams
from kkcv import zoo
from kkcv.errors import MissingExtra, UnknownNetwork
from kkcv.zoo.costs import cost
from kkcv.zoo.diagram.anatomy import anatomy
from kkcv.zoo.diagram.files import check_format
from kkcv.zoo.diagram.forms import inside, stem
from kkcv.zoo.diagram.graph import Node, graph
from kkcv.zoo.diagram.layout import layout, routes
from kkcv.zoo.diagram.theme import ROLES
from kkcv.zoo.draw import draw as draw_anew
from kkcv.zoo.lenet import SparseConvolution
from kkcv.zoo.registry import FAMILIES, create_on_meta

EXAMPLES = {module.FAMILY.name: module.FAMILY.example for module in FAMILIES}
DOCS = Path(__file__).parents[2] / "docs"
draw = cache(draw_anew)  # most are asked for more than once

every_network = pytest.mark.parametrize(
    "name",
    [
        name if name in EXAMPLES.values() else pytest.param(name, marks=pytest.mark.slow)
        for name in zoo.names()
    ],
)


def texts(svg: str) -> list[str]:
    """All that is written in a picture; fails when it is not well-formed."""
    return [e.text or "" for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("text")]


def titles(nodes: list[Node]) -> list[str]:
    return [node.title for node in nodes if node.kind != "input"]


def shown(name: str) -> dict[str, list[list[str]]]:
    """The texts in the boxes of each form of block, by kind."""
    found: dict[str, list[list[str]]] = {}
    for form in anatomy(name).forms:
        found.setdefault(form.kind, []).append(titles(form.nodes))
    return found


def counts(name: str) -> list[tuple[str, int]]:
    return [(form.kind, len(form.paths)) for form in anatomy(name).forms]


@every_network
def test_every_network_can_be_drawn_with_all_its_stages(name: str) -> None:
    written = "".join(texts(draw(name)))

    assert all(stage.name in written for stage in cost(name).stages)
    assert name in written


@every_network
def test_every_block_is_shown_once_with_those_like_it(name: str) -> None:
    network = create_on_meta(name)
    before = {stage for stage, _ in stem(network)}
    blocks = {
        path
        for stage, module in network.stages.named_children()
        for path, _, _ in inside(stage, module)
        if stage not in before
    }

    paths = [path for form in anatomy(name).forms if form.kind for path in form.paths]

    assert sorted(paths) == sorted(blocks)
    for form in anatomy(name).forms:
        alike = {layers_of(network.stages.get_submodule(path)) for path in form.paths}
        assert len(alike) == 1, form.paths


def layers_of(block: nn.Module) -> tuple[object, ...]:
    """The layers of a block without their channels."""
    found: list[tuple[object, ...]] = []
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            grouped = "all" if module.groups == module.in_channels else module.groups
            found.append(("conv", module.kernel_size, module.stride, grouped))
        elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
            found.append((type(module), module.kernel_size, module.stride))
        elif not any(True for _ in module.children()):
            found.append((type(module),))
    return tuple(found)


@every_network
def test_a_stage_has_a_slice_for_each_block(name: str) -> None:
    network = create_on_meta(name)

    for column in anatomy(name).columns:
        stage = dict(network.stages.named_children()).get(column.name)
        if stage is not None and (blocks := inside(column.name, stage)):
            assert len(column.slices) == len(blocks)


def test_slices_are_drawn_however_many_there_are() -> None:
    svg = draw("resnet152")

    assert svg.count('class="kind0-cut"') == 2 * (2 + 7 + 35 + 2)


def test_a_kind_of_block_has_one_color_and_no_other_has_it() -> None:
    for name in EXAMPLES.values():
        colors = anatomy(name).colors
        assert len(set(colors.values())) == len(colors), name


@pytest.mark.parametrize("family", EXAMPLES)
def test_the_diagrams_of_the_documentation_are_those_of_the_code(family: str) -> None:
    drawn = dict(diagrams([family]))

    committed = {path: (DOCS / path).read_text(encoding="utf-8") for path in drawn}

    assert committed == drawn, "to renew them: make docs-zoo"


def test_every_family_has_its_diagrams_and_there_are_no_others() -> None:
    expected = {
        f"{folder}diagrams/{family}{end}.svg"
        for folder in FOLDERS.values()
        for end in WIDTHS
        for family in EXAMPLES
    }

    assert {str(p.relative_to(DOCS)) for p in DOCS.glob("**/diagrams/*.svg")} == expected
    assert all(zoo.spec(name).family.name == family for family, name in EXAMPLES.items())


def test_an_everyday_name_draws_the_same() -> None:
    assert draw_anew("resnet50") == draw("resnet50_v1.5")  # and twice the same


def test_an_unknown_network_is_not_drawn() -> None:
    with pytest.raises(UnknownNetwork, match="resnet51"):
        draw("resnet51")


@pytest.mark.parametrize(
    ("name", "kind", "block"),
    [
        ("resnet18", "BasicBlock", ["3×3 conv, 64", "3×3 conv, 64", "+", "ReLU"]),
        (
            "resnet50",
            "Bottleneck",
            ["1×1 conv, 256", "3×3 conv, 256", "1×1 conv, 1024", "+", "ReLU"],
        ),
        (
            "mobilenet_v2",
            "Bottleneck",
            ["1×1 conv, 384", "3×3 depthwise, 384", "1×1 conv, 64", "+"],
        ),
        ("densenet121", "DenseLayer", ["BN", "1×1 conv, 128", "3×3 conv, 32", "concat"]),
        (
            "shufflenet_v2",
            "ShuffleUnit",
            [
                *("channel split", "1×1 conv, 116", "3×3 depthwise, 116", "1×1 conv, 116"),
                *("concat", "channel shuffle"),
            ],
        ),
    ],
)
def test_the_most_frequent_form_comes_first(name: str, kind: str, block: list[str]) -> None:
    assert shown(name)[kind][0] == block


# Where a block halves the resolution.


@pytest.mark.parametrize(
    ("name", "strided"),
    [
        ("resnet50_v1", "1×1 conv, 128, /2"),
        ("resnet50_v1.5", "3×3 conv, 128, /2"),
        ("seresnet50", "1×1 conv, 128, /2"),
        ("seresnet50_v1.5", "3×3 conv, 128, /2"),
        ("preresnet50", "3×3 conv, 128, /2"),
    ],
)
def test_the_convolution_that_halves_is_seen(name: str, strided: str) -> None:
    (blocks,) = shown(name).values()

    halving = [block for block in blocks if any("/2" in title for title in block)]

    assert len(halving) == 1
    assert [t for t in halving[0] if "/2" in t and ", 512" not in t] == [strided]
    assert "1×1 conv, 512, /2" in halving[0]  # the shortcut
    assert len(blocks) == 3  # the identity, with a projection, with a stride


# Blocks that differ are not one.


def test_inception_resnet_has_three_modules_and_a_last_one_without_relu() -> None:
    assert counts("inception_resnet_v2") == [
        ("inception_resnet_a", 10),
        ("reduction_a", 1),
        ("inception_resnet_b", 20),
        ("reduction_b", 1),
        ("inception_resnet_c", 9),
        ("inception_resnet_c", 1),
    ]
    forms = shown("inception_resnet_v2")
    assert "× 0.17" in forms["inception_resnet_a"][0]
    assert {"1×7 conv, 160", "× 0.1"} <= set(forms["inception_resnet_b"][0])
    assert {"1×3 conv, 224", "× 0.2"} <= set(forms["inception_resnet_c"][0])
    assert "ReLU" not in forms["inception_resnet_c"][1]


def test_mobilenet_v4_has_the_names_of_its_paper() -> None:
    small, hybrid = shown("mobilenet_v4_conv_small"), shown("mobilenet_v4_hybrid_medium")

    assert small.keys() == {"FusedIB", "ExtraDW", "IB", "ConvNext"}
    assert hybrid.keys() == {"FusedIB", "ExtraDW", "FFN", "ConvNext", "Mobile MQA"}
    assert small["IB"][0] == ["1×1 conv, 192", "3×3 depthwise, 192", "1×1 conv, 96", "+"]
    assert hybrid["FFN"][0] == ["1×1 conv, 512", "1×1 conv, 256", "+"]
    assert [t for t in hybrid["Mobile MQA"][0] if "conv" not in t and "depth" not in t] == [
        *("BN", "matmul", "softmax", "matmul", "+"),
    ]


def test_mobilenet_v3_shows_each_row_of_its_table() -> None:
    forms = [form for form in anatomy("mobilenet_v3_large_1.0").forms if form.kind == "Bneck"]

    assert sum(len(form.paths) for form in forms) == 15
    kernels = {form.paths: titles(form.nodes) for form in forms}
    assert "5×5 depthwise, 120" in kernels["bneck5", "bneck6"]
    assert "squeeze-excite" in kernels["bneck5", "bneck6"]
    assert "3×3 depthwise, 240, /2" in kernels["bneck7",]


def test_shufflenet_shows_its_groups_and_last_the_unit_that_has_fewer() -> None:
    usual, strided, first = anatomy("shufflenet_v1_g3_x1").forms

    assert [len(form.paths) for form in (usual, strided, first)] == [13, 2, 1]
    assert [[t for t in n.tags if "groups" in t] for n in usual.nodes if n.title[:3] == "1×1"] == [
        ["3 groups"],
        ["3 groups"],
    ]
    assert first.paths == ("stage2.0",)


# Sizes.


def test_vggs_convolutions_have_their_own_size_and_pools_theirs() -> None:
    columns = [(column.name, column.shape) for column in anatomy("vgg16").columns]

    assert columns[:5] == [
        ("input", (3, 224, 224)),
        ("conv1", (64, 224, 224)),
        ("pool", (64, 112, 112)),
        ("conv2", (128, 112, 112)),
        ("pool", (128, 56, 56)),
    ]


# What a paper is about.


def test_densenet_shows_who_reads_whom() -> None:
    assert anatomy("densenet121").dense == ("dense1", [64, 96, 128, 160, 192, 224, 256])
    svg = draw("densenet121")
    curves = re.findall(r'd="M[\d.]+ [\d.]+Q', svg)
    assert len(curves) == 5 + 4 + 3 + 2 + 1  # of layers that are not neighbors, x0 among them
    assert {"H1", "H6", "+32"} <= set(texts(svg))


def test_alexnet_has_two_towers_that_meet_before_conv3() -> None:
    found = texts(draw("alexnet_2012_grouped"))

    assert "2 towers, layer by layer" in found
    layers = [t for t in found if " conv, " in t or "pool, " in t or t.startswith("fc")]
    assert layers.count("11×11 conv, 48, /4") == layers.count("5×5 conv, 128") == 2
    assert layers.count("3×3 conv, 192") == 4
    assert [t for t in layers if t.startswith("fc") and "," in t] == [
        "fc6, 4096",
        "fc7, 4096",
        "fc, 1000",
    ]
    assert "Layer by layer" in texts(draw("alexnet_owt"))


def test_googlenet_shows_its_norms_and_auxiliary_heads() -> None:
    found = anatomy("googlenet_paper")
    ((stages, head),) = found.heads

    assert stages == "inception4a, inception4d"
    assert titles(head) == ["5×5 average pool, /3", "1×1 conv, 128", "fc1, 1024", "fc2, 1000"]
    assert [c.name for c in found.columns if c.auxiliary] == ["inception4a", "inception4d"]
    assert [c.name for c in found.columns if "LRN" in c.contents] == ["pool1", "conv2"]
    ((_, later),) = anatomy("googlenet_bn_torchvision").heads
    assert titles(later)[0] == "average pool → 4×4"


@pytest.mark.parametrize("name", ["alexnet_owt", "vgg16"])
def test_a_pool_that_changes_nothing_at_the_published_size_is_not_shown(name: str) -> None:
    assert not any("average" in text for text in texts(draw(name)))


def test_the_reductions_of_inception_v3_and_v4_and_v4s_stem_are_shown() -> None:
    assert {"ReductionA", "ReductionB"} <= shown("inception_v3").keys()
    assert {"ReductionA", "ReductionB"} <= shown("inception_v4").keys()
    stages, nodes = anatomy("inception_v4").stem or ("", [])
    assert stages == "conv1 – mixed_5a"
    assert titles(nodes).count("concat") == 3  # figure 3
    assert nodes[-1].shape == (384, 35, 35)
    (head,) = anatomy("inception_v3").heads
    assert head[0] == "mixed_6e"


def test_lenet_shows_its_input_and_table_1() -> None:
    found = anatomy("lenet5_1998")
    ((stage, table),) = found.sparse
    c3 = next(
        m for m in create_on_meta("lenet5_1998").modules() if isinstance(m, SparseConvolution)
    )

    assert found.columns[0].shape == (1, 32, 32)
    assert stage == "C3"
    read = [i for row in zip(*table, strict=True) for i, seen in enumerate(row) if seen]
    assert read == [i for inputs in c3.inputs for i in inputs]


# Words and colors.


def test_a_diagram_speaks_chinese() -> None:
    english, chinese = texts(draw("googlenet_paper")), texts(draw("googlenet_paper", lang="zh"))

    assert len(english) <= len(chinese) + 8
    said = "".join(chinese)
    assert all(
        word in said for word in ("参数量", "卷积", "最大池化", "拼接", "辅助分类器", "全连接")
    )
    left = [t for t in chinese if re.search(r"\b(conv|pool|fc|concat|each|input|height)\b", t)]
    assert left in ([], ["fc"]), left  # the name of a stage


def test_a_picture_is_light_or_dark_or_what_its_reader_has() -> None:
    light, dark, auto = (draw("resnet18", theme=theme) for theme in ("light", "dark", "auto"))

    assert texts(light) == texts(dark) == texts(auto)
    sheets = [re.search("<style>(.*)</style>", svg)[1] for svg in (light, dark)]
    assert auto == light.replace(
        sheets[0], f"{sheets[0]}@media(prefers-color-scheme:dark){{{sheets[1]}}}"
    )


@pytest.mark.parametrize("theme", [0, 2])
def test_text_stands_out_from_what_is_behind_it(theme: int) -> None:
    behind = [r[theme] for n, r in ROLES.items() if r[theme] != "none" and r[1] != "none"]
    for words in ("ink", "pale"):
        for fill in [*behind, ROLES["paper"][theme]]:
            assert contrast(ROLES[words][theme], fill) >= 4.5  # WCAG 2.1, 1.4.3


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_citation_does_not_say_the_year_twice() -> None:
    assert "NIPS 2012." in " ".join(texts(draw("alexnet")))
    assert "(2012)" not in draw("alexnet")
    assert zoo.spec("mobilenet_v1").family.paper.published == "arXiv:1704.04861, 2017"


def test_a_missing_library_is_named_with_what_installs_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    what = "vl-convert-python, which writes PNG files, is not installed; "

    with pytest.raises(MissingExtra, match=re.escape(f"{what}to add it: pip install 'kkcv[draw]'")):
        check_format(Path("x.png"))

    check_format(Path("x.svg"))  # needs none


# Graphs and their places.


def test_a_shortcut_joins_the_input_to_the_sum() -> None:
    block = anatomy("resnet18").forms[0].nodes

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


def test_branches_stand_side_by_side_and_a_chain_is_straight() -> None:
    inputs = [(), (0,), (0,), (2,), (3,), (1, 4, 0)]  # three branches, one of them the input
    sizes = [(width, 20.0) for width in (50, 80, 80, 100, 80, 40)]

    found = layout(inputs, sizes, level=set())

    (x1, _), (x2, _), (x3, _), (x4, _) = (found.at[i] for i in (1, 2, 3, 4))
    assert x2 == x3 == x4
    assert x1 + 40 < x2 - 50
    assert found.lanes[0, 5] > x2 + 50
    for route in routes(inputs, sizes, found):
        assert route[0][1] < route[-1][1]  # downwards


def test_what_is_tangled_stands_in_rows() -> None:
    inputs = [(), (0,), (0,), (1, 2), (1, 2), (3, 4)]

    found = layout(inputs, [(40.0, 20.0)] * 6, level=set())

    assert found.at[1][1] == found.at[2][1] < found.at[3][1] == found.at[4][1] < found.at[5][1]
