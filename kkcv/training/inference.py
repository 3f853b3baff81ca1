"""Inference on many pictures: embeddings or scores of a network in eval mode."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kkcv.embedding.pipeline import ahead
from kkcv.errors import PictureError, TrainingError
from kkcv.images.decode import decode
from kkcv.images.preprocess import Preprocess
from kkcv.timing import Progress, no_progress
from kkcv.zoo.network import Network

from .reporter import silent

MoreCrops = Callable[[Path, np.ndarray], list[np.ndarray]]  # of the pixels, as a view crops them
BATCH = 32  # as for a search (embedding/embedder.py)


def placed(network: Network, device: torch.device) -> Network:
    """The network in eval mode on the device, in the layout that is fastest on CPUs."""
    return network.to(device).to(memory_format=torch.channels_last).eval()


@torch.inference_mode()
def outputs(
    function: Callable[[Tensor], Tensor],
    paths: Sequence[Path],
    views: Sequence[Preprocess],
    *,
    device: torch.device,
    more: MoreCrops | None = None,
    threads: int | None = None,
    progress: Progress = no_progress,
    say: Callable[[str], None] = silent,
) -> tuple[Tensor, list[PictureError | None]]:
    """A function's output for each view of a picture, float32 (N, V, D), and the error of each.

    The crops that ``more`` takes of a picture come after its views.

    Pictures are decoded in threads while the function runs. The row of one that cannot be decoded
    is NaN. Where the GPU's memory is too small for a batch, smaller ones are taken, which ``say``
    is told.

    Raises TrainingError when the memory is too small for a single picture.
    """
    size = BATCH

    def run_all(crops: list[np.ndarray]) -> list[Tensor]:
        nonlocal size
        out: list[Tensor] = []
        while len(out) < len(crops):
            few = min(size, max(1, 2 * BATCH // len(crops[0])))  # many crops take much memory
            try:
                out += run(function, crops[len(out) : len(out) + few], views[0], device)
            except torch.OutOfMemoryError:
                if size == 1:
                    raise TrainingError(
                        "out of GPU memory with one picture at a time; choose a smaller --size"
                    ) from None
                size //= 2
                say(f"out of GPU memory: going on with {size} pictures at once")
                torch.cuda.empty_cache()
        return out

    def crop(path: Path) -> np.ndarray:
        pixels = decode(path, target=views[0].target)
        crops = [view.crop(pixels) for view in views]
        return np.stack(crops if more is None else crops + more(path, pixels))

    results = ahead(crop, paths, threads=threads)
    rows: list[Tensor | None] = []
    errors: list[PictureError | None] = []
    while batch := list(islice(results, BATCH)):
        good = [result for _, result in batch if isinstance(result, np.ndarray)]
        answers = iter(run_all(good))
        for _, result in batch:
            failed = isinstance(result, PictureError)
            rows.append(None if failed else next(answers))
            errors.append(result if isinstance(result, PictureError) else None)
        progress(len(rows), len(paths))
    shape = next((row.shape for row in rows if row is not None), (len(views), 0))
    missing = torch.full(shape, torch.nan)
    stacked = [missing if row is None else row for row in rows]
    return torch.stack(stacked) if rows else torch.empty(0, *shape), errors


def run(
    function: Callable[[Tensor], Tensor],
    crops: list[np.ndarray],
    preprocess: Preprocess,
    device: torch.device,
) -> Tensor:
    """N crops of V views, uint8 (V, H, W, C) → float32 (N, V, D), on the CPU."""
    images = torch.from_numpy(preprocess.normalize(np.concatenate(crops)))
    images = images.to(device, memory_format=torch.channels_last)
    return function(images).float().cpu().unflatten(0, (len(crops), -1))


def mirrored(network: Network) -> Callable[[Tensor], Tensor]:
    """Test-time augmentation: log of the mean probability over the picture and its mirror image."""

    def scores(images: Tensor) -> Tensor:
        both = torch.stack([network(images), network(images.flip(-1))])
        return both.float().log_softmax(-1).logsumexp(0) - np.log(2)

    return scores
