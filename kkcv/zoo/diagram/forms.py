"""The blocks of a network to show: one of each form, and where the others of its form stand."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from kkcv.zoo.inception import FilterConcat
from kkcv.zoo.network import Network

from .graph import Node, Shape, form, graph
from .labels import is_one_box


@dataclass(frozen=True)
class Form:
    """Blocks that differ in the number of channels alone: their paths, and the graph of one.

    ``kind`` is empty for a stage that is a row of plain layers.
    """

    kind: str
    paths: tuple[str, ...]
    where: str  # the paths in few words
    shown: str  # the path of the one whose graph this is
    nodes: list[Node]
    varied: bool  # whether others have other channels


Unit = tuple[str, str, nn.Module]  # path, kind, block


def kind_of(path: str, module: nn.Module) -> str:
    """The name of a block in the papers' words; empty for a plain layer or a row of layers."""
    convolutions = any(isinstance(m, nn.Conv2d) for m in module.modules())
    ours = type(module).__module__.startswith("kkcv.") and any(True for _ in module.children())
    if not (ours and convolutions) or is_one_box(module):
        return ""
    name = type(module).__name__
    stage = path.split(".")[0]
    if name in NAMED_BY_STAGE:
        return stage
    if name == "UniversalInvertedBottleneck":
        return universal(module)
    return RENAMED.get(name, name)


NAMED_BY_STAGE = ("FilterConcat", "InceptionResNet")  # classes of many different blocks
RENAMED = {"FusedInvertedBottleneck": "FusedIB", "MobileMQA": "Mobile MQA"}


def universal(block: nn.Module) -> str:
    """Figure 4 of the MobileNet v4 paper: the name says which depthwise convolutions there are."""
    first, second = (
        not isinstance(block.get_submodule(part), nn.Identity) for part in ("start", "middle")
    )
    return {
        (True, True): "ExtraDW",
        (False, True): "IB",
        (True, False): "ConvNext",
        (False, False): "FFN",
    }[first, second]


def inside(name: str, stage: nn.Module) -> list[Unit]:
    """The blocks of a stage: itself, those in its row, or none."""
    rows = [(name, stage)]
    if isinstance(stage, nn.Sequential):
        rows = [(f"{name}.{i}", m) for i, m in enumerate(stage.children())]
    return [(path, kind, module) for path, module in rows if (kind := kind_of(path, module))]


def stem(network: Network) -> list[tuple[str, nn.Module]]:
    """The stages before the first named block, where there are branches among them; else none."""
    found: list[tuple[str, nn.Module]] = []
    for name, stage in network.stages.named_children():
        blocks = inside(name, stage)
        if blocks and type(blocks[0][2]) is not FilterConcat:
            break
        found.append((name, stage))
    return found if any(isinstance(stage, FilterConcat) for _, stage in found) else []


def forms(network: Network, reads: Mapping[nn.Module, Shape]) -> list[Form]:
    """Each form of block, in the order of the kinds, the most frequent of a kind first.

    ``reads`` are the shapes of what each module reads.
    """
    before = {name for name, _ in stem(network)}
    found: list[Unit] = []
    for name, stage in network.stages.named_children():
        row = [(name, "", stage)] if isinstance(stage, nn.Sequential) else []
        found += [] if name in before else inside(name, stage) or row
    groups: dict[tuple[object, ...], list[tuple[str, list[Node]]]] = {}
    traced: dict[tuple[str, Shape], list[Node]] = {}  # equal blocks with equal inputs once
    for path, kind, module in found:
        known = repr(module), reads[module]
        nodes = traced[known] = traced.get(known) or graph(module, reads[module])
        if len(nodes) > 2:  # more than the input and one box
            groups.setdefault((kind, *form(nodes)), []).append((path, nodes))
    kinds = list(dict.fromkeys(key[0] for key in groups))
    ranked = sorted(groups.items(), key=lambda g: (kinds.index(g[0][0]), -len(g[1])))
    return [made(str(key[0]), alike, network) for key, alike in ranked]


def made(kind: str, alike: list[tuple[str, list[Node]]], network: Network) -> Form:
    """The form with the most frequent channels shown."""
    titles = Counter(tuple(node.title for node in nodes) for _, nodes in alike)
    usual = titles.most_common(1)[0][0]
    shown, nodes = next((p, n) for p, n in alike if tuple(x.title for x in n) == usual)
    paths = tuple(path for path, _ in alike)
    return Form(kind, paths, short_paths(paths, network), shown, nodes, len(titles) > 1)


def short_paths(paths: tuple[str, ...], network: Network) -> str:
    """The paths in few words: ``conv2_x.1–2, conv3_x`` (where that is all of it)."""
    found: dict[str, list[int]] = {}
    for path in paths:
        stage, _, place = path.partition(".")
        found.setdefault(stage, []).extend([int(place)] if place else [])
    words = []
    for stage, places in found.items():
        whole = network.stages.get_submodule(stage)
        every = not places or len(places) == len(list(whole.children()))
        words.append(stage if every else f"{stage}.{runs(places)}")
    return ", ".join(words)


def runs(places: list[int]) -> str:
    """1, 2, 3, 5 as 1–3, 5; a run of two is written out."""
    parts: list[list[int]] = []
    for place in places:
        if parts and place == parts[-1][-1] + 1:
            parts[-1].append(place)
        else:
            parts.append([place])
    return "+".join(f"{p[0]}–{p[-1]}" if len(p) > 1 else str(p[0]) for p in parts)
