"""Weights files of every make, whole and broken, into networks."""

import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision import models

from kkcv import zoo
from kkcv.errors import WeightsError
from kkcv.zoo.loading.conversion import convert, rename, reshaped
from kkcv.zoo.loading.load import read
from kkcv.zoo.network import Network
from tests.zoo.conftest import PEER, State, prefixed, random_state


@pytest.fixture
def images() -> Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda s: s, id="plain"),
        pytest.param(lambda s: {"state_dict": s, "epoch": 3, "best": 0.5}, id="state_dict"),
        pytest.param(lambda s: {"model": s, "optimizer": {"lr": 0.1}}, id="model"),
        pytest.param(lambda s: {"model_state_dict": s}, id="model_state_dict"),
        pytest.param(prefixed("module."), id="DataParallel"),
        pytest.param(prefixed("_orig_mod."), id="torch.compile"),
        pytest.param(prefixed("_orig_mod.module."), id="both"),
        pytest.param(lambda s: {"state_dict": prefixed("model.")(s)}, id="Lightning"),
    ],
)
def test_a_peers_weights_give_the_peers_scores_however_they_were_saved(
    peer: nn.Module, peers_state: State, images: Tensor, tmp_path: Path, wrap: Callable[..., object]
) -> None:
    torch.save(wrap(peers_state), tmp_path / "w.pth")

    ours = zoo.create(PEER, weights=tmp_path / "w.pth")

    torch.testing.assert_close(ours(images), peer(images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["w.safetensors", "w.bin", "w.pth"])
def test_safetensors_are_known_by_their_content(
    peer: nn.Module, peers_state: State, images: Tensor, tmp_path: Path, name: str
) -> None:
    save_file(peers_state, tmp_path / name)

    ours = zoo.create(PEER, weights=tmp_path / name)

    torch.testing.assert_close(ours(images), peer(images), rtol=1e-4, atol=1e-4)


def test_files_of_old_pytorch_load_too(
    peer: nn.Module, peers_state: State, images: Tensor, tmp_path: Path
) -> None:
    torch.save(peers_state, tmp_path / "w.pth", _use_new_zipfile_serialization=False)

    ours = zoo.create(PEER, weights=tmp_path / "w.pth")

    torch.testing.assert_close(ours(images), peer(images), rtol=1e-4, atol=1e-4)


def test_half_precision_weights_load_into_a_full_precision_network(
    peers_state: State, tmp_path: Path
) -> None:
    half = {k: v.half() if v.is_floating_point() else v for k, v in peers_state.items()}
    save_file(half, tmp_path / "w.safetensors")

    ours = zoo.create(PEER, weights=tmp_path / "w.safetensors")

    assert {p.dtype for p in ours.parameters()} == {torch.float32}
    assert ours.head.weight.equal(half["fc.weight"].float())


def test_our_own_file_loads_unchanged(tmp_path: Path) -> None:
    network = zoo.create(PEER)
    network.load_state_dict(random_state(network))
    save_file(network.state_dict(), tmp_path / "w.safetensors")

    again = zoo.create(PEER, weights=tmp_path / "w.safetensors")

    assert again.state_dict().keys() == network.state_dict().keys()
    assert all(v.equal(network.state_dict()[k]) for k, v in again.state_dict().items())


def test_densenets_names_of_2017_are_those_of_today() -> None:
    today = models.densenet121(weights=None).state_dict()
    old = rename(today, ((r"\.(norm|conv)([12])\.", r".\1.\2."),))
    assert "features.denseblock1.denselayer1.norm.1.weight" in old

    network = zoo.create("densenet121")
    from_today, from_old = (convert_for(network, state) for state in (today, old))

    assert from_old.keys() == from_today.keys() == network.state_dict().keys()
    assert all(v.equal(from_old[k]) for k, v in from_today.items())


def convert_for(network: Network, state: State) -> State:
    return convert(state, network, network.spec.family.name)


def test_a_linear_layer_and_a_convolution_over_its_whole_input_hold_the_same_numbers() -> None:
    draw = torch.Generator().manual_seed(2)
    images = torch.rand(2, 8, 7, 7, generator=draw)
    conv, linear = nn.Conv2d(8, 5, 7), nn.Linear(8 * 7 * 7, 5, bias=False)

    with torch.no_grad():
        linear.weight.copy_(reshaped(conv.weight, linear.weight))
        scores = linear(images.flatten(1)) + conv.bias

    torch.testing.assert_close(scores, conv(images).flatten(1))


def test_a_bias_before_a_batch_norm_goes_into_the_norms_mean(images: Tensor) -> None:
    network = zoo.create(PEER)
    network.load_state_dict(random_state(network))
    scores, bias = network(images), torch.rand(24)
    biased = dict(network.state_dict())
    biased["stages.conv1.conv.bias"] = bias
    biased["stages.conv1.norm.running_mean"] = biased["stages.conv1.norm.running_mean"] + bias

    network.load_state_dict(convert_for(network, biased))

    torch.testing.assert_close(network(images), scores, rtol=1e-4, atol=1e-4)


def test_a_lying_kernel_is_not_taken_for_a_standing_one() -> None:
    lying, standing = torch.rand(4, 4, 1, 7), torch.rand(4, 4, 7, 1)

    assert reshaped(lying, standing) is lying


class Hostile:
    """Touches a file when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (f"touch {self.trace}",)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_and_nothing_runs(
    tmp_path: Path, zipped: bool
) -> None:
    path, trace = tmp_path / "w.pth", tmp_path / "ran"
    torch.save({"fc.weight": Hostile(trace)}, path, _use_new_zipfile_serialization=zipped)

    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=path)

    assert str(caught.value) == (
        f"{path} is refused: it holds a posix.system, which could run code when it is read; "
        "save the state_dict() alone"
    )
    assert not trace.exists()


def test_a_whole_model_is_refused_by_name(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "model.pth")

    with pytest.raises(WeightsError, match=r"it holds a torch\.nn\.modules\.linear\.Linear, which"):
        zoo.create(PEER, weights=tmp_path / "model.pth")


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"PK\3\4 no zip", b"\x80\x02}q\x00.", b"\x80\x04\x95" + b"\xff" * 8, b"<html>"],
)
def test_what_is_no_weights_file_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.pth"
    path.write_bytes(content)

    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=path)

    assert str(caught.value) == (
        f"{path} cannot be read as weights; .safetensors and .pth files of plain tensors can"
    )


@pytest.mark.parametrize(
    "content", [[1, 2], {}, {"a": 1}, {1: torch.zeros(1)}, {"state_dict": {}}, torch.zeros(1)]
)
def test_tensors_without_names_are_no_state_dict(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "w.pth")

    with pytest.raises(WeightsError, match=r"w\.pth holds no state dict \(names with tensors\)$"):
        zoo.create(PEER, weights=tmp_path / "w.pth")


@pytest.mark.parametrize("save", [torch.save, save_file])
def test_a_damaged_file_never_raises_anything_but_our_error(
    tmp_path: Path, save: Callable[[State, Path], None]
) -> None:
    path, draw = tmp_path / "w.pth", random.Random(11)
    save({"fc.weight": torch.zeros(4, 4), "fc.bias": torch.zeros(4)}, path)
    whole = path.read_bytes()

    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(draw.randint(1, 8)):
            damaged[draw.randrange(len(whole))] = draw.randrange(256)
        path.write_bytes(damaged[: draw.choice((len(whole), draw.randrange(len(whole))))])
        with suppress(WeightsError):  # where it changed a number only, it can be read
            read(path)


def test_weights_of_another_network_say_what_differs_in_a_few_lines(tmp_path: Path) -> None:
    small, state = (
        build(weights=None).state_dict()
        for build in (models.shufflenet_v2_x0_5, models.shufflenet_v2_x1_0)
    )
    del state["conv5.1.bias"], state["conv5.1.weight"]
    state["neck.gain"] = torch.zeros(1)
    torch.save(state, tmp_path / "w.pth")

    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=tmp_path / "w.pth")

    differ = sum(v.shape != small[k].shape for k, v in state.items() if k in small)
    message = str(caught.value)
    assert message.startswith(
        f"{tmp_path / 'w.pth'} does not fit {PEER}: {differ} of another shape ("
    )
    assert message.endswith(
        "; 2 missing (stages.conv5.norm.weight; stages.conv5.norm.bias); 1 too many (neck.gain)"
    )


def test_a_classifier_of_other_classes_is_kept_only_if_asked_for(
    peers_state: State, tmp_path: Path
) -> None:
    peers_state["fc.weight"], peers_state["fc.bias"] = torch.rand(37, 1024), torch.rand(37)
    torch.save(peers_state, tmp_path / "w.pth")

    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=tmp_path / "w.pth")
    ours = zoo.create(PEER, weights=tmp_path / "w.pth", num_classes=37)

    assert str(caught.value) == (
        f"{tmp_path / 'w.pth'} does not fit {PEER}: "
        "2 of another shape (head.weight is (37, 1024), not (1000, 1024); "
        "head.bias is (37,), not (1000,)); "
        "to keep its classifier: num_classes=37"
    )
    assert ours.head.weight.equal(peers_state["fc.weight"])


def test_a_new_classifier_keeps_its_initialization_and_the_rest_is_loaded(
    peers_state: State, tmp_path: Path
) -> None:
    torch.save(peers_state, tmp_path / "w.pth")

    torch.manual_seed(5)
    fresh = zoo.create(PEER, num_classes=10)
    torch.manual_seed(5)
    ours = zoo.create(PEER, num_classes=10, weights=tmp_path / "w.pth")

    assert ours.head.weight.equal(fresh.head.weight)
    assert ours.stages.conv5.conv.weight.equal(peers_state["conv5.0.weight"])


def test_weights_for_other_channels_name_both(peers_state: State, tmp_path: Path) -> None:
    torch.save(peers_state, tmp_path / "w.pth")

    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=tmp_path / "w.pth", in_channels=2)

    assert str(caught.value) == (
        f"{tmp_path / 'w.pth'} does not fit {PEER}: "
        "1 of another shape (stages.conv1.conv.weight is (24, 3, 3, 3), not (24, 2, 3, 3)); "
        "it takes pictures of 3 channels: leave in_channels out"
    )


def test_a_missing_weights_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        zoo.create(PEER, weights=tmp_path / "w.pth")

    assert str(caught.value) == (
        f"no weights file {tmp_path / 'w.pth'}; "
        "give 'imagenet' or an existing .pth or .safetensors file"
    )
