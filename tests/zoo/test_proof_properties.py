"""The promises of every network of the zoo, whatever its paper."""

import re

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call

from kkcv import zoo
from kkcv.errors import InputShapeError
from kkcv.zoo.facts import counts
from kkcv.zoo.network import Network, Spec, TrainingScores
from kkcv.zoo.parity import difference, fill, gradients_of, settle
from kkcv.zoo.registry import create_on_meta

from .conftest import SMALL, SMALLEST, of_size, slowly

WITH_AUXILIARY = [name for name in zoo.names() if zoo.spec(name).auxiliary]
# The deep and wide siblings, which have no code of their own, take most of the time.
QUICK = {n for n, known in counts().items() if known.parameters < 30e6} | set(SMALLEST)
QUICK -= {f"efficientnet_b{i}" for i in range(1, 8)}
CLOSE = 1e-3  # random batch norms of two pictures let rounding grow; a fault is near 1


@pytest.fixture(scope="module", params=slowly(QUICK))
def network(request: pytest.FixtureRequest, photographs: Tensor) -> Network:
    """Each network in turn, with random weights that let a signal through, in eval mode."""
    name = request.param
    fixed_codes = name == "lenet5_1998"  # its head has values that are not drawn
    network = fill(zoo.create(name) if fixed_codes else create_on_meta(name))
    assert isinstance(network, Network)
    settle(network, two_pictures(network, photographs))
    return network


@pytest.fixture(scope="module")
def images(network: Network, photographs: Tensor) -> Tensor:
    return two_pictures(network, photographs)


@pytest.fixture(scope="module")
def scores(network: Network, images: Tensor) -> Tensor:
    with torch.no_grad():
        return network(images)


def two_pictures(network: Network, photographs: Tensor) -> Tensor:
    """A real picture and noise, as small as the network takes them, or nearly."""
    assert network.spec is not None
    return of_size(photographs[:2], network.spec.input_size[0], *small_size(network.spec))


def small_size(spec: Spec) -> tuple[int, int]:
    # Deep, and batch norms of 2x2 maps: rounding would grow.
    least = 96 if spec.family.name in ("efficientnet", "efficientnet_v2") else SMALL
    side = spec.input_size[1] if spec.fixed_size else max(least, spec.min_size)
    return side, side


def test_features_embedding_and_scores_are_steps_of_one_way(
    network: Network, images: Tensor, scores: Tensor
) -> None:
    assert network.spec is not None
    with torch.no_grad():
        features = network.features(images)
        embedding = network.neck(features)
        again = network.head(features if network.classifies_map else embedding)

    assert features.ndim == 4
    assert embedding.shape == (2, network.spec.embedding_dim)
    assert scores.shape == (2, network.spec.num_classes)
    assert torch.equal(again, scores)  # and so it is deterministic, too


def test_a_pictures_embedding_does_not_depend_on_the_others_in_its_batch(
    network: Network, images: Tensor, scores: Tensor
) -> None:
    with torch.no_grad():
        alone = network.scores(network.features(images[:1]))

    assert difference(alone, scores[:1]) < CLOSE
    assert difference(scores[1:], scores[:1]) > 10 * CLOSE


def test_a_gradient_reaches_every_parameter(network: Network, images: Tensor) -> None:
    gradients = gradients_of(network, images)

    assert gradients.keys() == dict(network.named_parameters()).keys()
    assert [key for key, g in gradients.items() if not g.isfinite().all()] == []
    assert [key for key, g in gradients.items() if not g.any()] == []
    network.requires_grad_(False).zero_grad()


def test_it_computes_the_same_in_channels_last_layout(
    network: Network, images: Tensor, scores: Tensor
) -> None:
    layout = torch.channels_last
    tensors = {
        k: v.contiguous(memory_format=layout) if v.ndim == 4 else v
        for k, v in network.state_dict().items()
    }

    with torch.no_grad():
        last = functional_call(network, tensors, images.contiguous(memory_format=layout))

    assert difference(last, scores) < CLOSE


def test_it_runs_in_half_precision(network: Network, images: Tensor) -> None:
    with torch.no_grad():
        halved = functional_call(network, half(network), images.bfloat16())

    assert halved.dtype is torch.bfloat16
    assert halved.isfinite().all()


def half(network: Network) -> dict[str, Tensor]:
    return {
        k: v.bfloat16() if v.is_floating_point() else v for k, v in network.state_dict().items()
    }


def test_a_wrong_number_of_channels_is_refused(network: Network) -> None:
    assert network.spec is not None
    name, (channels, height, width) = network.spec.name, network.spec.input_size

    with pytest.raises(
        InputShapeError,
        match=re.escape(
            f"{name} takes a batch of shape (N, {channels}, H, W), got (2, 4, {height}, {width})"
        ),
    ):
        network(torch.empty(2, 4, height, width))
    with pytest.raises(InputShapeError, match=r"got \(3, 32, 32\)"):
        network(torch.empty(3, 32, 32))


def test_pictures_of_another_type_are_refused_with_what_to_do(
    network: Network, images: Tensor
) -> None:
    assert network.spec is not None
    name = network.spec.name

    with pytest.raises(InputShapeError) as caught:
        network((images * 255).to(torch.uint8))
    with pytest.raises(InputShapeError, match="normalized pictures of float32, got float64; "):
        network(images.double())

    assert str(caught.value) == (
        f"{name} takes normalized pictures of float32, got uint8; images.to(torch.float32) changes "
        "the type, and pixels of 0 to 255 must be normalized too"
    )


def test_it_takes_pictures_from_its_least_size_on_and_refuses_smaller_ones(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = network.spec
    assert spec is not None
    channels, least = spec.input_size[0], spec.min_size

    def answer(height: int, width: int) -> Tensor:
        with torch.no_grad():
            return network(torch.zeros(1, channels, height, width))

    if spec.fixed_size:
        with pytest.raises(
            InputShapeError,
            match=f"{spec.name} takes pictures of exactly {least}x{least} pixels, got 33x32",
        ):
            answer(33, 32)
        return
    assert answer(least, least).shape == (1, 1000)
    assert answer(least + 32, least + 5).shape == (1, 1000)  # neither square nor even
    if least == 1:
        return
    refusal = f"{spec.name} takes pictures of at least {least}x{least} pixels, "
    with pytest.raises(InputShapeError, match=re.escape(refusal) + f"got {least + 2}x{least - 1}"):
        answer(least + 2, least - 1)
    monkeypatch.setattr(network, "spec", None)  # nothing checks now: what can the layers do?
    with pytest.raises(RuntimeError):
        answer(least - 1, least - 1)


@pytest.mark.parametrize("name", slowly(SMALLEST))
def test_it_can_be_built_for_other_classes_and_channels(name: str) -> None:
    with torch.device("meta"):
        network = zoo.create(name, num_classes=7, in_channels=2)
    assert network.spec is not None

    scores = network(torch.empty(2, 2, *network.spec.input_size[1:], device="meta"))

    assert scores.shape == (2, 7)
    assert (network.spec.num_classes, network.spec.input_size[0]) == (7, 2)


@pytest.mark.parametrize("name", slowly(SMALLEST))
def test_it_starts_with_a_signal_that_half_precision_keeps(name: str) -> None:
    torch.manual_seed(0)
    network = zoo.create(name)
    assert network.spec is not None
    images = torch.randn(2, network.spec.input_size[0], *small_size(network.spec))

    with torch.no_grad():
        scores = network(images)
        halved = functional_call(network, half(network), images.bfloat16())

    assert not network.training
    assert all(p.isfinite().all() for p in network.parameters())
    assert difference(scores[1:], scores[:1]) > 0
    assert F.cosine_similarity(halved.float(), scores).min() > 0.95


def test_autocast_may_convert_the_pictures() -> None:
    network, images = zoo.create("lenet5_modern"), torch.rand(1, 1, 32, 32)

    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        scores = network(images.bfloat16())

    assert scores.dtype is torch.bfloat16
    with pytest.raises(InputShapeError, match="of float32, got bfloat16; "):
        network(images.bfloat16())


@pytest.mark.parametrize("name", ["resnet18", "preresnet18", "densenet121", "seresnet50"])
def test_the_classifier_of_the_authors_starts_with_a_bias_of_0(name: str) -> None:
    head = [m for m in zoo.create(name).head.modules() if isinstance(m, torch.nn.Linear)][-1]

    assert not head.bias.any()
    bound = head.in_features**-0.5
    assert 0.98 * bound < head.weight.abs().max() <= bound


@pytest.mark.parametrize(
    ("name", "eps", "momentum", "tensorflows"),
    [
        ("mobilenet_v1_0.25", 1e-5, 0.1, 1e-3),
        ("mobilenet_v2_0.35", 1e-5, 0.1, 1e-3),
        ("mobilenet_v4_conv_small", 1e-5, 0.1, 1e-3),
        ("inception_v3", 1e-3, 0.1, 1e-3),
        ("inception_v4", 1e-3, 0.1, 1e-3),
        ("inception_resnet_v2", 1e-3, 0.1, 1e-3),
    ],
)
def test_norms_are_as_the_families_files_say(
    name: str, eps: float, momentum: float, tensorflows: float
) -> None:
    def norms(**options: str) -> set[tuple[float, float]]:
        with torch.device("meta"):
            modules = zoo.create(name, **options).modules()
        kinds = torch.nn.BatchNorm1d | torch.nn.BatchNorm2d
        return {(m.eps, m.momentum) for m in modules if isinstance(m, kinds)}

    assert norms() == {(eps, momentum)}
    assert norms(trained_in="tensorflow") == {(tensorflows, 0.01)}


@pytest.mark.parametrize("name", WITH_AUXILIARY)
def test_auxiliary_heads_answer_in_training_mode_alone(name: str) -> None:
    with torch.device("meta"):
        plain, network = zoo.create(name), zoo.create(name, auxiliary=True)
        images = torch.empty(2, *zoo.spec(name).input_size)

    evaluated, trained = network(images), network.train()(images)

    assert isinstance(evaluated, Tensor)
    assert isinstance(trained, TrainingScores)
    assert trained.scores.shape == evaluated.shape == (2, 1000)
    assert all(scores.shape == (2, 1000) for scores in trained.auxiliary)
    assert len(trained.auxiliary) == (2 if name.startswith("googlenet") else 1)
    assert isinstance(plain.train()(images), Tensor)


def test_a_network_without_auxiliary_heads_says_who_has_some() -> None:
    with pytest.raises(ValueError, match=r"vgg11 has no auxiliary heads; .*googlenet_paper"):
        zoo.create("vgg11", auxiliary=True)
