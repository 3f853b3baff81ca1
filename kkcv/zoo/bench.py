"""How fast the networks are on this machine, beside what they cost on paper."""

import time
from dataclasses import dataclass

import torch

from kkcv.machine import cores

from .costs import cost
from .registry import create, spec

SECONDS = 2.0  # a network, at least
WARM_UP = 2  # batches


@dataclass(frozen=True)
class Speed:
    """A network's costs, and the pictures a second of the best pass of ``embedding`` in float32."""

    network: str
    parameters: int
    macs: int
    input_size: tuple[int, int, int]
    embedding_dim: int
    batch: int
    threads: int
    pictures_a_second: float


@torch.inference_mode()
def bench(name: str, batch: int = 8, threads: int | None = None) -> Speed:
    """Measure one network with random weights and pictures, on the CPU (UnknownNetwork)."""
    known, measured = spec(name), cost(name)
    torch.set_num_threads(threads or cores())
    network = create(known.name).to(memory_format=torch.channels_last)
    images = torch.randn(batch, *known.input_size).to(memory_format=torch.channels_last)
    for _ in range(WARM_UP):
        network.embedding(images)
    passes: list[float] = []
    began = time.perf_counter()
    while not passes or time.perf_counter() - began < SECONDS:
        start = time.perf_counter()
        network.embedding(images)
        passes.append(time.perf_counter() - start)
    return Speed(
        known.name,
        measured.parameters,
        measured.macs,
        known.input_size,
        known.embedding_dim,
        batch,
        torch.get_num_threads(),
        batch / min(passes),
    )
