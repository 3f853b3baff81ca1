"""Computing as TensorFlow does: its padding, its epsilon, against timm's ports of its networks."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kkcv import zoo
from kkcv.zoo.parity import TOLERANCE, compare
from kkcv.zoo.peers import Peer
from kkcv.zoo.tensorflow import SamePaddedConv2d, compute_as_tensorflow, same_padding


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"),
    [
        (224, 3, 2, (0, 1)),
        (225, 3, 2, (1, 1)),
        (224, 5, 2, (1, 2)),
        (299, 7, 2, (3, 3)),
        (56, 3, 1, (1, 1)),
        (7, 1, 2, (0, 0)),
    ],
)
def test_the_odd_pixel_goes_to_the_far_side(
    size: int, kernel: int, stride: int, padding: tuple[int, int]
) -> None:
    assert same_padding(size, kernel, stride) == padding


@given(size=st.integers(1, 300), kernel=st.integers(1, 7), stride=st.integers(1, 4))
def test_the_output_is_the_size_over_the_stride_rounded_up(
    size: int, kernel: int, stride: int
) -> None:
    before, after = same_padding(size, kernel, stride)

    assert (before + size + after - kernel) // stride + 1 == -(-size // stride)
    assert 0 <= after - before <= 1


def test_a_strided_convolution_looks_one_pixel_further_than_pytorchs() -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(3, 4, 3, 2, padding=1, bias=False)
    network = nn.Sequential(plain)
    images = torch.randn(1, 3, 8, 8)

    compute_as_tensorflow(network)

    expected = F.conv2d(F.pad(images, (0, 1, 0, 1)), plain.weight, stride=2)
    assert torch.equal(network(images), expected)
    assert network[0].weight is plain.weight


def test_only_padded_strided_convolutions_and_norms_change() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, 2, padding=1),
        nn.Conv2d(4, 4, 3, 2),  # "VALID" in TensorFlow
        nn.Conv2d(4, 4, 3, 1, padding=1),
        nn.Conv2d(4, 4, 1, 2),
        nn.BatchNorm2d(4),
    )

    compute_as_tensorflow(network)

    assert [type(m) for m in network[:4]] == [SamePaddedConv2d, nn.Conv2d, nn.Conv2d, nn.Conv2d]
    assert (network[4].eps, network[4].momentum) == (1e-3, 0.01)


def test_the_state_dict_stays_the_same() -> None:
    with torch.device("meta"):
        plain = zoo.create("efficientnet_lite0").state_dict()
        theirs = zoo.create("efficientnet_lite0", trained_in="tensorflow").state_dict()

    assert {k: v.shape for k, v in theirs.items()} == {k: v.shape for k, v in plain.items()}


# timm computes as TensorFlow under names with tf_, or when asked to.
AS_TENSORFLOW = "(pad_type='same', bn_eps=1e-3)"


@pytest.mark.parametrize("size", [64, 75])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("mobilenet_v1_1.0", f"mobilenetv1_100{AS_TENSORFLOW}"),
        ("mobilenet_v2_1.0", f"mobilenetv2_100{AS_TENSORFLOW}"),
        ("mobilenet_v3_small_0.75", "tf_mobilenetv3_small_075"),
        ("mobilenet_v3_small_minimalistic", "tf_mobilenetv3_small_minimal_100"),
        ("mobilenet_v4_hybrid_medium", f"mobilenetv4_hybrid_medium{AS_TENSORFLOW}"),
        ("efficientnet_lite0", "tf_efficientnet_lite0"),
    ],
)
def test_ours_computes_what_timms_ports_compute(ours: str, theirs: str, size: int) -> None:
    peer = Peer(ours, f"timm:{theirs}", {"trained_in": "tensorflow"}, "", "")
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))

    found = compare(peer, images)

    assert found.forward < TOLERANCE
    assert found.response > 0.01


def test_an_unknown_trainer_is_refused() -> None:
    with pytest.raises(ValueError, match="one of pytorch, tensorflow, timm, got 'keras'"):
        zoo.create("efficientnet_lite0", trained_in="keras")
