"""Every network can be exported, compiled and converted, unchanged and for any batch."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import pytest
import torch
from torch import Tensor

from kkcv import zoo
from kkcv.zoo.network import Network
from kkcv.zoo.parity import difference, settle
from kkcv.zoo.registry import create_on_meta

from .conftest import SMALL, SMALLEST, slowly

ANY_BATCH = {"images": {0: torch.export.Dim.DYNAMIC}}
# Kinds of steps that an exporter could stumble over: fixed codes and sparse maps, residuals, gates.
# The ONNX exporter uses torch.export, so these need no test of that of their own.
KINDS = ("lenet5_1998", "resnet18", "mobilenet_v3_small_0.75")
LARGE_GRAPHS = {  # seconds each, and of the same steps as others
    "densenet121",
    "googlenet_bn_torchvision",
    "inception_v3",
    "inception_v4",
    "inception_resnet_v1",
    "xception",
    "wide_resnet50_2",
    "efficientnet_v2_s",
    "convnext_tiny",
}


def pictures(network: Network, batch: int) -> Tensor:
    assert network.spec is not None
    channels, side, _ = network.spec.input_size
    if not network.spec.fixed_size:
        side = max(SMALL, network.spec.min_size)
    device = next(network.parameters()).device
    generator = torch.Generator(device="cpu").manual_seed(5)
    return torch.randn(batch, channels, side, side, generator=generator).to(device)


def built(name: str) -> Network:
    torch.manual_seed(0)
    return zoo.create(name)


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.parametrize("name", slowly(set(SMALLEST) - set(KINDS) - LARGE_GRAPHS))
def test_torch_export_takes_it_whole_for_any_batch(name: str) -> None:
    network = zoo.create(name) if name.startswith("lenet") else create_on_meta(name)

    program = torch.export.export(network, (pictures(network, 2),), dynamic_shapes=ANY_BATCH)

    scores = program.module()(pictures(network, 3))
    assert scores.shape == (3, network.spec.num_classes if network.spec else 0)


@pytest.mark.parametrize("name", slowly(KINDS))
@pytest.mark.usefixtures("fresh_compiler")
def test_torch_compile_takes_it_in_one_graph(name: str) -> None:
    network = built(name)
    images = pictures(network, 2)

    compiled = torch.compile(network, backend="eager", fullgraph=True)

    with torch.no_grad():
        assert difference(compiled(images), network(images)) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST)
@pytest.mark.usefixtures("fresh_compiler")
def test_compiled_to_machine_code_it_computes_the_same(name: str) -> None:
    network = built(name)
    images = pictures(network, 2)

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the compiler's own parts
        compiled = torch.compile(network, fullgraph=True)
        assert difference(compiled(images), network(images)) < 1e-3


@pytest.mark.parametrize("name", slowly(KINDS))
def test_onnx_runtime_computes_the_same_for_any_batch(name: str, tmp_path: Path) -> None:
    network = built(name)
    images = pictures(network, 3)
    settle(network, images)  # else the deepest SENets make a difference of rounding one of tenths
    file = tmp_path / "network.onnx"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own parts
        program = torch.onnx.export(
            network,
            (images[:2],),
            dynamo=True,
            dynamic_shapes=ANY_BATCH,
            input_names=["images"],
            verbose=False,
        )
    assert program is not None
    program.save(file)

    (scores,) = onnxruntime.InferenceSession(file).run(None, {"images": images.numpy()})
    with torch.no_grad():
        assert difference(torch.from_numpy(scores), network(images)) < 1e-3
