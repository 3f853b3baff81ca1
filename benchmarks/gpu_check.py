"""Checks everything that a GPU run needs, in at most five minutes, and prints a table.

    make gpu-check
    python -m benchmarks.gpu_check --device cpu --network lenet5_modern --batch 8   # how it works

Pictures are made here, so it needs no data; weights are random, which costs the same time. Exits
with 1 when an answer differs from the CPU's by more than the precision explains, or a run fails.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from benchmarks.command import run
from kkcv import checkpoint
from kkcv.training.data.source import Source
from kkcv.training.fit.freezing import freeze, training_mode
from kkcv.training.recipe import Recipe
from kkcv.training.reporter import Reporter
from kkcv.training.run import train
from kkcv.zoo.network import Network, TrainingScores

# The lowest cosine between an embedding here and on the CPU in float32: float32 convolutions on a
# GPU may compute in TF32, with 10 bits of mantissa; bfloat16 has 7.
AGREEMENT = {"32": 0.9999, "bf16": 0.995, "16": 0.999}
DTYPES = {"32": torch.float32, "bf16": torch.bfloat16, "16": torch.float16}
SECONDS = 3.0  # of each rate


class Row(NamedTuple):
    name: str
    value: str
    good: bool


def rate(function: Callable[[], Any], pictures: int, device: torch.device) -> float:
    """Pictures a second, after a call that does not count."""
    function()
    synchronize(device)
    began, calls = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        function()
        synchronize(device)
        calls += 1
    return pictures * calls / (time.perf_counter() - began)


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def embedding(name: str, device: torch.device, batch: int) -> list[Row]:
    """Rate and agreement with the CPU, for each precision."""
    base = checkpoint.pretrained(name, "none")
    network = base.build()
    spec = base.preprocess
    images = torch.rand(
        batch, spec.channels, *spec.size, generator=torch.Generator().manual_seed(0)
    )
    with torch.inference_mode():
        expected = network.embedding(images[:4])
        network = network.to(device).to(memory_format=torch.channels_last)
        here = images.to(device).contiguous(memory_format=torch.channels_last)
        rows = []
        for precision, dtype in DTYPES.items():
            if precision == "16" and device.type != "cuda":
                continue
            with torch.autocast(device.type, dtype, enabled=precision != "32"):
                found = network.embedding(here[:4]).float().cpu()
                per_second = rate(lambda: network.embedding(here), batch, device)
            cosine = float(F.cosine_similarity(found, expected).min())
            good = cosine >= AGREEMENT[precision]
            text = f"{per_second:,.0f} pictures/s, lowest cosine with the CPU {cosine:.5f}"
            rows.append(Row(f"embedding, precision {precision}", text, good))
    return rows


def training(name: str, device: torch.device, batch: int) -> list[Row]:
    """Rate of whole steps of the whole network, channels-last, for each precision."""
    rows = []
    for precision, dtype in DTYPES.items():
        if precision == "16" and device.type != "cuda":
            continue
        base = checkpoint.pretrained(name, "none")
        network = base.build().to(device).to(memory_format=torch.channels_last)
        freeze(network, -1)
        training_mode(network)
        step = step_of(network, base.preprocess.size, device, batch, dtype, precision)
        per_second = rate(step, batch, device)
        finite = all(bool(p.isfinite().all()) for p in network.parameters())
        text = f"{per_second:,.0f} pictures/s" + ("" if finite else ", weights no longer finite")
        rows.append(Row(f"training, precision {precision}", text, finite))
    return rows


def step_of(
    network: Network,
    size: tuple[int, int],
    device: torch.device,
    batch: int,
    dtype: torch.dtype,
    precision: str,
) -> Callable[[], None]:
    """A step of AdamW; float16 with gradient scaling."""
    assert network.spec is not None
    images = torch.rand(batch, network.spec.input_size[0], *size, device=device)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 2, (batch,), device=device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "16")

    def step() -> None:
        with torch.autocast(device.type, dtype, enabled=precision != "32"):
            out = network(images)
            loss = F.cross_entropy(out.scores if isinstance(out, TrainingScores) else out, labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()

    return step


def whole_runs(name: str, device: torch.device, folder: Path) -> list[Row]:
    """``kkcv train`` from folders to report, for each precision, with workers."""
    pictures(folder / "data")
    rows = []
    for precision in DTYPES:
        if precision == "16" and device.type != "cuda":
            continue
        recipe = Recipe(
            model=name, weights="none", epochs=1, batch_size=8, device=device.type,
            precision=precision, workers=2,
        )  # fmt: skip
        said: list[str] = []
        began = time.monotonic()
        out = folder / precision
        train(Source(folder / "data"), recipe, out, Reporter(say=said.append))
        rows.append(
            Row(
                f"kkcv train, precision {precision}, 2 workers",
                f"{time.monotonic() - began:.0f} s",
                (out / "best.json").is_file(),
            )
        )
    return rows


def out_of_memory(name: str, folder: Path) -> list[Row]:
    """A batch that does not fit is computed in parts, on a GPU that is kept nearly full."""
    free, _ = torch.cuda.mem_get_info()
    recipe = Recipe(model=name, weights="none", epochs=1, batch_size=32, device="cuda")
    said: list[str] = []
    kept = torch.empty(int(free * 0.97), dtype=torch.uint8, device="cuda")
    try:
        train(Source(folder / "data"), recipe, folder / "full", Reporter(say=said.append))
    finally:
        del kept
        torch.cuda.empty_cache()
    lines = [line for line in said if line.startswith("out of GPU memory")]
    text = lines[-1] if lines else "the batch fitted all the same"
    return [Row("out of memory", text, (folder / "full/best.json").is_file())]


def pictures(root: Path) -> None:
    """Two classes of 24 pictures that can be told apart."""
    generator = np.random.default_rng(0)
    for label, level in (("dark", 60), ("light", 190)):
        (root / label).mkdir(parents=True)
        for i in range(24):
            noise = generator.normal(level, 40, (240, 320, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(noise).save(root / label / f"{i}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--network", default="resnet50")
    parser.add_argument("--batch", type=int, default=64)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch finds no GPU here; see https://pytorch.org/get-started for one with CUDA")
    device, name = torch.device(options.device), options.network
    where = torch.cuda.get_device_name() if device.type == "cuda" else "the CPU"
    print(f"{name} on {where}, PyTorch {torch.__version__}, batches of {options.batch}\n")
    print("| check | result | |\n|---|---|---|")
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        checks: list[Callable[[], list[Row]]] = [
            lambda: embedding(name, device, options.batch),
            lambda: training(name, device, options.batch),
            lambda: whole_runs(name, device, folder),
        ]
        if device.type == "cuda":
            checks.append(lambda: out_of_memory(name, folder))
        for check in checks:
            for row in check():
                print(f"| {row.name} | {row.value} | {'ok' if row.good else 'WRONG'} |", flush=True)
                bad += not row.good
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    run(main)
