"""How long a run will take, from a few pictures and steps on this machine."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F

from kkcv.checkpoint import Checkpoint
from kkcv.errors import PictureError
from kkcv.images.decode import decode
from kkcv.zoo.network import Network, TrainingScores

from .fit.freezing import freeze, training_mode
from .inference import placed
from .plan import Stage
from .start import sized

SAMPLE = 16  # pictures that are decoded
BATCH = 4  # pictures in a measured step
STARTUP = 3.0  # seconds for plots and the report


@dataclass
class Costs:
    """Seconds a picture on this machine; each is measured when it is first asked for.

    Measuring moves ``network`` to the device and changes which of its layers are frozen.
    """

    network: Network
    base: Checkpoint
    paths: Sequence[Path]
    device: torch.device
    threads: int
    known: dict[tuple[str, int, int], float] = field(default_factory=dict)

    def decode(self, size: int) -> float:
        return self.once("decode", size, 0, self.measure_decoding)

    def forward(self, size: int) -> float:
        """Through the network without gradients."""
        return self.once("forward", size, 0, self.measure_forward)

    def step(self, size: int, depth: int) -> float:
        """Forward and backward with the last ``depth`` stages unfrozen, -1 for all."""
        return self.once("step", size, depth, self.measure_step)

    def once(self, what: str, size: int, depth: int, measure: Callable[[int, int], float]) -> float:
        key = (what, size, depth)
        if key not in self.known:
            self.known[key] = measure(size, depth)
        return self.known[key]

    def measure_decoding(self, size: int, _: int) -> float:
        preprocess = sized(self.base, size).preprocess

        def crop(path: Path) -> None:
            with suppress(PictureError):  # training names it
                preprocess.crop(decode(path, target=preprocess.target))

        every = max(1, len(self.paths) // SAMPLE)
        sample = self.paths[::every][:SAMPLE]
        began = time.perf_counter()
        with ThreadPoolExecutor(self.threads) as pool:
            list(pool.map(crop, sample))
        return (time.perf_counter() - began) / max(1, len(sample))

    def measure_forward(self, size: int, _: int) -> float:
        network = placed(self.network, self.device)
        with torch.inference_mode():
            return self.timed(lambda images: network(images), size)

    def measure_step(self, size: int, depth: int) -> float:
        freeze(self.network, depth)
        network = placed(self.network, self.device)
        training_mode(network, freeze_norms=True)

        def step(images: torch.Tensor) -> None:
            out = network(images)
            scores = out.scores if isinstance(out, TrainingScores) else out
            labels = torch.zeros(len(images), dtype=torch.int64, device=self.device)
            F.cross_entropy(scores, labels).backward()
            network.zero_grad()

        return self.timed(step, size)

    def timed(self, function: Callable[[torch.Tensor], object], size: int) -> float:
        """The second of two calls: the first allocates."""
        spec = sized(self.base, size).preprocess
        images = torch.zeros(BATCH, spec.channels, *spec.size, device=self.device)
        images = images.contiguous(memory_format=torch.channels_last)
        seconds = 0.0
        for _ in range(2):
            began = time.perf_counter()
            function(images)
            if self.device.type == "cuda":
                torch.cuda.synchronize()
            seconds = time.perf_counter() - began
        return seconds / BATCH


@dataclass(frozen=True)
class Counts:
    """Pictures of each part."""

    train: int
    val: int
    test: int


def look(stage: Stage, costs: Costs) -> float:
    """Seconds of a picture with all its views, without gradients."""
    return costs.decode(stage.size) + (1 + stage.whole) * costs.forward(stage.size)


def stage_seconds(stage: Stage, counts: Counts, costs: Costs) -> float:
    seen = counts.train + counts.val
    if stage.on_embeddings:
        embed = seen * look(stage, costs) + counts.train * stage.crops * costs.forward(stage.size)
        return embed + seen * (1 + stage.crops) * stage.epochs * 2e-5  # the head on embeddings
    learn = costs.decode(stage.size) + costs.step(stage.size, stage.depth)
    return stage.epochs * (counts.train * learn + counts.val * look(stage, costs))


def measuring_seconds(plan: Sequence[Stage], tta: bool, counts: Counts, costs: Costs) -> float:
    """Scoring of all parts, by the last stage's network, and the report."""
    last = plan[-1]
    plain = look(last, costs)
    mirrored = 2 * plain - costs.decode(last.size) if tta else plain
    again = 0 if plan[-1].on_embeddings else counts.train  # for labels that may be wrong
    return (counts.val + counts.test) * mirrored + again * plain + STARTUP


def announcement(plan: Sequence[Stage], tta: bool, counts: Counts, costs: Costs) -> list[str]:
    """Lines that say what will happen and roughly how long it takes."""
    out, total = [], 0.0
    for stage in plan:
        seconds = stage_seconds(stage, counts, costs)
        side = sized(costs.base, stage.size).preprocess.size[0]
        taken = spoken(seconds)
        if stage.on_embeddings:
            what = (
                f"the head alone, {counted(stage.epochs, 'epoch')} on the embeddings of "
                f"{counts.train + counts.val:,} pictures"
            )
            if stage.crops:
                what = f"{what} and {stage.crops} crops of each training picture"
        else:
            trained = {0: "the head", 1: "the head and the last stage", -1: "the whole network"}
            layers = trained.get(stage.depth, f"the head and the last {stage.depth} stages")
            what = f"{layers}, {counted(stage.epochs, 'epoch')} of {counts.train:,} pictures"
        out.append(
            f"  {stage.name}: {what} at {side} pixels, center and whole, about {taken}"
            if stage.whole
            else f"  {stage.name}: {what} at {side} pixels, about {taken}"
        )
        total += seconds
    total += measuring_seconds(plan, tta, counts, costs)
    device, threads = costs.device.type, counted(costs.threads, "thread")
    return [f"the plan, in all about {spoken(total)} here ({device}, {threads}):", *out]


def counted(number: int, what: str) -> str:
    """``1 epoch``, ``2 epochs``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def spoken(seconds: float) -> str:
    """``40 s``, ``6 min``, ``1.5 h``."""
    if seconds < 100:  # below, seconds are said: 90 s tells more than 2 min
        return f"{max(1, round(seconds))} s"
    if seconds < 100 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
