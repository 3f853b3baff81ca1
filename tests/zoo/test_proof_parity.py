"""Every network computes what its peers in torchvision, timm and pytorchcv compute."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from kkcv import zoo
from kkcv.errors import InputShapeError
from kkcv.zoo.network import TrainingScores
from kkcv.zoo.parity import adopt, compare, difference, drawn, fill, outputs
from kkcv.zoo.peers import Peer, parse, peers, peers_of
from kkcv.zoo.verify import verify_peers

from .conftest import COUNTED, SMALL, of_size

TRUE_PEERS = [peer for peer in peers() if not peer.differs]
QUICK = (  # whose gradients are quick to compare, one of each kind
    "alexnet_owt",
    "vgg11_bn",
    "googlenet_bn_torchvision",
    "bn_inception",
    "inception_v3",
    "inception_v4",
    "inception_resnet_v2",
    "resnet18",
    "resnet50_v1",
    "preresnet18",
    "resnetv2_50",
    "xception",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "seresnet50",
    "densenet121",
    "squeezenet1_1",
    "mobilenet_v1_1.0",
    "mobilenet_v2_0.35",
    "mobilenet_v3_small_1.0",
    "mobilenet_v4_conv_small",
    "mobilenet_v4_hybrid_medium",
    "shufflenet_v1_g3_x0.5",
    "shufflenet_v2_x0.5",
    "efficientnet_b0",
    "efficientnet_lite0",
    "efficientnet_v2_s",
    "convnext_tiny",
)


def needs_large(peer: Peer) -> bool:
    """Inception v3 settles its auxiliary heads in training mode, which takes the full size."""
    return peer.network == "inception_v3" and "aux_logits=True" in peer.call


def call(peer: Peer) -> str:
    return f"{peer.network}-{peer.call}"


def small(peer: Peer, photographs: Tensor) -> Tensor:
    """Pictures as small as the network, and its peers, can take."""
    known = zoo.spec(peer.network)
    channels, full, _ = known.input_size
    side = full if needs_large(peer) else max(SMALL, 96 if known.min_size > SMALL else 0)
    return of_size(photographs, channels, side, side)


def first_true_peer(name: str) -> Peer:
    return next(peer for peer in peers_of(name) if not peer.differs)


def quickly(peer: Peer) -> Any:
    """The peer; slow are those of the many large EfficientNets and the like, alike in all steps."""
    larger = zoo.spec(peer.network).family.name in COUNTED and peer.network not in QUICK
    return pytest.param(peer, marks=pytest.mark.slow) if larger else peer


WITH_GRADIENTS = [first_true_peer(name) for name in QUICK]
SCORES_ALONE = [p for p in TRUE_PEERS if p not in WITH_GRADIENTS]


@pytest.mark.parametrize("peer", [quickly(peer) for peer in SCORES_ALONE], ids=call)
def test_a_peers_weights_give_the_same_scores(peer: Peer, photographs: Tensor) -> None:
    parity = compare(peer, small(peer, photographs)[:2])

    assert parity.holds, parity


@pytest.mark.parametrize("peer", WITH_GRADIENTS, ids=call)
def test_a_peers_weights_give_the_same_scores_and_gradients(
    peer: Peer, photographs: Tensor
) -> None:
    parity = compare(peer, small(peer, photographs), gradients=True)

    assert parity.gradient is not None
    assert parity.holds, parity


@pytest.mark.slow
@pytest.mark.parametrize("peer", TRUE_PEERS, ids=call)
def test_the_same_holds_for_real_pictures_of_the_published_size(
    peer: Peer, photographs: Tensor
) -> None:
    channels, height, width = zoo.spec(peer.network).input_size

    large = height > 400  # a step of training takes minutes and most of the memory
    images = of_size(photographs[:2] if large else photographs, channels, height, width)

    parity = compare(peer, images, gradients=not large)

    assert parity.holds, parity


def test_every_family_is_proven_against_a_peer_or_has_none() -> None:
    proven = {zoo.spec(peer.network).family.name for peer in TRUE_PEERS}
    gradients = {zoo.spec(name).family.name for name in QUICK}

    assert {zoo.spec(name).family.name for name in zoo.names()} - proven == {"lenet"}
    assert proven == gradients


def test_every_peer_of_the_reference_is_compared_or_said_to_differ(
    reference: dict[str, dict[str, Any]],
) -> None:
    """Some are peers of another network of ours in the family: v1.5, or timm's ResNet v2."""
    for name, entry in reference.items():
        family = zoo.spec(name).family.name
        ours = [peer for peer in peers() if zoo.spec(peer.network).family.name == family]
        for key, theirs in entry.get("peer_calls", {}).items():
            library, builder = key.partition(":")[0], theirs["name"].removesuffix(" (class)")
            assert any(
                peer.library == library and is_call(peer, builder, theirs["kwargs"])
                for peer in ours
            ), f"{name}: {key}"


def is_call(peer: Peer, builder: str, arguments: dict[str, Any]) -> bool:
    """Whether the peer's call has this builder and, among others, these arguments."""
    ours, given = parse(peer.call)
    same = all(
        given.get(k) == (tuple(v) if isinstance(v, list) else v) for k, v in arguments.items()
    )
    return ours == builder.rpartition(".")[2] and same


@pytest.mark.slow
def test_a_peer_said_to_differ_does_differ(photographs: Tensor) -> None:
    """A reason that no longer holds would hide a proof."""
    for peer in peers():
        if not peer.differs:
            continue
        try:
            parity = compare(peer, small(peer, photographs)[:2])
        except ValueError:
            continue  # other parameters
        assert not parity.holds, peer.call


def test_the_comparison_sees_one_changed_weight(photographs: Tensor) -> None:
    peer = peers_of("resnet18")[0]
    images = small(peer, photographs)[:2]
    theirs = drawn(peer, images)
    ours = adopt(theirs, peer)
    with torch.no_grad():
        before = difference(ours(images), theirs(images))
        kernel = ours.stages.conv3_x[0].conv1.conv.weight.clone()
        kernel[0] += 0.1
        ours.stages.conv3_x[0].conv1.conv.weight = nn.Parameter(kernel)

        after = difference(ours(images), theirs(images))

    assert before < 1e-6
    assert after > 1e-3


def test_no_two_parameters_are_drawn_alike() -> None:
    """Else two swapped layers of one shape would go unnoticed."""
    network = fill(peers_of("resnet18")[0].build())

    first = [p.flatten()[0].item() for p in network.parameters()]

    assert len(set(first)) == len(first)


def test_a_peer_with_other_parameters_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Peer("resnet18", "torchvision:resnet34", {}, "", "")
    monkeypatch.setattr("kkcv.zoo.verify.peers_of", lambda name: (wrong,))

    (check,) = verify_peers("resnet18", torch.randn(2, 3, 64, 64))

    assert not check.passed
    assert "stages.conv2_x.2.conv1.conv.weight" in check.note


def test_auxiliary_scores_are_put_into_the_order_of_the_paper() -> None:
    main, first, second = (torch.tensor(n) for n in (0.0, 1.0, 2.0))

    ours = outputs(TrainingScores(main, (first, second)))
    torchvisions = outputs((main, second, first))

    assert ours == torchvisions == [main, first, second]


def test_a_call_is_read_as_python_would() -> None:
    assert parse("timm:resnet18") == ("resnet18", {})
    assert parse("torchvision:DenseNet(growth_rate=32, block_config=(6, 12))") == (
        "DenseNet",
        {"growth_rate": 32, "block_config": (6, 12)},
    )


@pytest.mark.slow
def test_a_peer_that_cannot_take_a_size_says_so() -> None:
    peer = next(p for p in peers_of("inception_v3") if "aux_logits=True" in p.call)

    with pytest.raises(InputShapeError, match="cannot take pictures of 96x96 pixels"):
        compare(peer, torch.rand(2, 3, 96, 96))
