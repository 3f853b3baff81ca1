"""Every network has the parameters, multiply-adds and feature maps that are known of it."""

from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from kkcv import zoo
from kkcv.errors import InputShapeError
from kkcv.zoo import record, recorded
from kkcv.zoo.costs import cost, trace
from kkcv.zoo.facts import MEASURED, Printed, counts, printed
from kkcv.zoo.peers import peers_of
from kkcv.zoo.registry import create_on_meta
from kkcv.zoo.verify import check_counts, check_printed, missing, verify

from .conftest import COUNTED, SMALL, SMALLEST

Reference = dict[str, dict[str, Any]]

BEYOND = [n for n in counts() if zoo.spec(n).family.name in COUNTED]


def test_the_zoo_has_every_network_of_the_reference(reference: Reference) -> None:
    assert reference.keys() <= set(zoo.names())


def test_the_table_of_counts_is_that_of_the_reference(reference: Reference) -> None:
    counted = {name: entry for name, entry in reference.items() if entry["params"]}

    table = counts()

    assert counted.keys() <= table.keys()
    for name, entry in counted.items():
        row = table[name]
        assert (row.parameters, row.macs) == (entry["params"], entry["macs"]), name
        assert row.embedding_dim == entry["feature_dim"], name
        assert row.input_size == tuple(entry["input_size"]), name
        maps = [tuple(s["out_shape"]) for s in entry["stages"] if len(s["out_shape"]) == 3]
        large = [shape for shape in maps if shape[1] > 1 or name.startswith("lenet")]
        assert list(row.maps) == [shape for shape, _ in groupby(large)], name


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n not in SMALLEST else n for n in BEYOND]
)
def test_what_the_reference_lacks_is_counted_in_a_peer(name: str) -> None:
    peer = next(peer for peer in peers_of(name) if not peer.differs)
    theirs, row = peer.build().eval(), counts()[name]
    calls = trace(theirs, row.input_size)

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        theirs(torch.empty(1, *row.input_size, device="meta"))

    assert sum(p.numel() for p in theirs.parameters()) == row.parameters
    assert counter.get_total_flops() // 2 == row.macs
    assert missing(row.maps, [call.shape for call in calls]) == []


@pytest.mark.parametrize("name", zoo.names())
def test_every_fact_of_a_network_holds(name: str) -> None:
    failed = [check for check in verify(name) if not check.passed]

    assert not failed


@pytest.mark.parametrize("name", zoo.names())
def test_the_rows_of_a_networks_table_add_up_to_the_whole(name: str) -> None:
    whole = cost(name)

    assert sum(row.parameters for row in whole.stages) == whole.parameters
    assert sum(row.macs for row in whole.stages) == whole.macs
    assert whole.stages[-1].shape == (zoo.spec(name).num_classes,)
    assert [row for row in whole.stages if row.part == "neck"][-1].shape == (
        zoo.spec(name).embedding_dim,
    )


def test_what_is_recorded_is_what_the_networks_themselves_say() -> None:
    file = Path(recorded.__file__).with_name("recorded.json")

    assert file.read_text(encoding="utf-8") == record.text(), "renew it with: make docs-zoo"


@pytest.mark.parametrize("name", [*SMALLEST, "mobilenet_v4_hybrid_medium"])
def test_the_multiply_adds_are_those_that_torch_counts(name: str) -> None:
    network = create_on_meta(name)
    assert network.spec is not None
    images = torch.empty(1, *network.spec.input_size, device="meta")

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images)

    by_torch = counter.get_total_flops() // 2  # which counts products inside attention, too
    if "hybrid" in name:
        assert 1.0 < by_torch / cost(name).macs < 1.05
    else:
        assert by_torch == cost(name).macs


@pytest.mark.parametrize("name", SMALLEST)
def test_the_shapes_are_those_of_a_network_that_computes(name: str) -> None:
    network, shapes = zoo.create(name), []
    assert network.spec is not None
    for module in network.modules():
        module.register_forward_hook(lambda *call: shapes.append(tuple(call[-1].shape[1:])))

    channels, side, _ = network.spec.input_size
    if not network.spec.fixed_size:
        side = max(SMALL, network.spec.min_size)

    with torch.no_grad():
        network(torch.rand(1, channels, side, side))

    calls = trace(create_on_meta(name), (channels, side, side))
    assert [call.shape for call in calls] == shapes


def test_twice_the_resolution_costs_four_times_as_much() -> None:
    small, large = cost("resnet18", 128), cost("resnet18", 256)

    assert large.input_size == (3, 256, 256)
    classifier = small.stages[-1].macs
    assert large.macs - classifier == 4 * (small.macs - classifier)
    assert large.parameters == small.parameters


def test_a_size_that_a_network_cannot_take_has_no_cost() -> None:
    with pytest.raises(InputShapeError, match="exactly 32x32"):
        cost("lenet5_1998", 64)


def test_a_table_says_how_often_a_block_is_repeated() -> None:
    rows = {row.name: row for row in cost("resnet50_v1").stages}

    assert [rows[f"conv{i}_x"].blocks for i in (2, 3, 4, 5)] == [3, 4, 6, 3]
    assert (rows["conv1"].blocks, rows["pool1"].blocks) == (1, 0)
    assert rows["conv4_x"].shape == (1024, 14, 14)


def test_measuring_leaves_a_network_as_it_was() -> None:
    network = create_on_meta("resnet18").train()

    trace(network, (3, 64, 64))

    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"parameters": 11_689_513}, "parameters"),
        ({"macs": 1_824_000_000}, "multiply-adds"),
        ({"input_size": (3, 225, 225)}, "input"),
        ({"maps": ((64, 112, 112),)}, "feature maps"),
    ],
)
def test_a_network_that_is_another_fails(change: dict[str, Any], what: str) -> None:
    other = replace(cost("resnet18"), **change)

    failed = [check.what for check in check_counts(other) if not check.passed]

    assert failed == [what]


def test_feature_maps_must_come_in_their_order() -> None:
    assert missing([(64, 56, 56), (128, 28, 28)], [(3,), (64, 56, 56), (128, 28, 28)]) == []
    assert missing([(128, 28, 28), (64, 56, 56)], [(64, 56, 56), (128, 28, 28)]) == [(64, 56, 56)]


@pytest.mark.parametrize(
    ("text", "ours", "agrees"),
    [
        ("60,000", 60_000, True),
        ("60,000", 60_001, False),
        ("3.8 G", 3_857_973_248, True),  # cut
        ("7.6 G", 7_570_194_432, True),  # rounded
        ("3.8 G", 4_089_184_256, False),
        ("569 M", 568_740_352, True),
        ("8.00 G", 7_974_739_968, True),  # within 1%
        ("< 25 M", 23_834_568, True),
        ("< 25 M", 25_557_032, False),
        ("159 Ki", 163_328, True),
    ],
)
def test_a_printed_figure_agrees_when_ours_has_its_digits(
    text: str, ours: int, agrees: bool
) -> None:
    assert Printed("resnet50_v1", "", "multiply-adds", text, "table 1").agrees(ours) is agrees


def test_a_printed_figure_that_is_far_from_ours_needs_a_note() -> None:
    figure = Printed("resnet18", "", "multiply-adds", "3.6 G", "table 1")
    explained = replace(figure, note="that is twice as much")

    assert not check_printed(figure, cost("resnet18")).passed
    assert check_printed(explained, cost("resnet18")).passed


def test_printed_figures_are_of_networks_and_rows_that_exist() -> None:
    for figure in printed():
        assert figure.network in zoo.names()
        if figure.stage:
            assert figure.stage in [row.name for row in cost(figure.network).stages]


def test_every_family_has_a_printed_figure_and_a_printed_accuracy() -> None:
    families = {zoo.spec(name).family.name for name in zoo.names()}

    accuracies = {zoo.spec(f.network).family.name for f in printed() if f.what not in MEASURED}

    assert families == accuracies
