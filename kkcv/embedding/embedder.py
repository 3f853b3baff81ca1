"""Pixels to embeddings: preprocessing and network, which never part."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np

from kkcv import checkpoint as checkpoints
from kkcv import environment
from kkcv.checkpoint import Checkpoint
from kkcv.disk import typed
from kkcv.errors import PictureError, RequestError
from kkcv.images.backends import BACKENDS
from kkcv.images.decode import decode
from kkcv.images.limits import DEFAULT_LIMITS, Limits
from kkcv.images.source import Source, is_one
from kkcv.machine import ForkGuard, numpy_in_one_thread
from kkcv.timing import step

from . import panoramas, terms, windows
from .choice import AUTO, Choice, choose
from .gathering import Gathering, Sharing
from .quantized import Quantized, calibrated
from .runtimes import RUNTIMES, Runtime
from .space import EmbeddingSpace, unit

Part = Callable[[np.ndarray], np.ndarray]
BATCH = 32  # pictures a run of the network, at most
TOGETHER = 4 * BATCH  # crops of ``embed`` in memory

# What takes over when a runtime that kkcv chose itself does not start: on a full disk, say.
AFTER = {"openvino": "onnxruntime", "onnxruntime": "pytorch"}
BACKEND = "opencv"  # the quickest of those that need no torch; all give the same pixels


class Embedder:
    """Turns pictures into unit vectors of one embedding space.

    ``backend`` names the preprocessing library, ``runtime`` what runs the network, ``precision``
    what it computes in, ``device`` where (None: a GPU where there is one). ``auto`` is what was
    measured to be the fastest here; ``choice`` tells what it is. int8 is a ``quantized`` network
    (``calibrated`` makes one), whose vectors are not to be compared with others.

    Safe to use from several threads: what they embed at the same time is gathered into batches
    (``share``).
    """

    def __init__(
        self,
        model: str | PathLike[str] | Checkpoint = checkpoints.DEFAULT_NETWORK,
        weights: str = "imagenet",
        *,
        backend: str = BACKEND,
        runtime: str | None = None,
        precision: str | None = None,
        device: str | None = None,
        quantized: Quantized | None = None,
    ) -> None:
        """Load an embedder by name: a network of the zoo, a preset, or the folder of a run.

        Where ``runtime`` or ``precision`` is None, the environment decides (environment.py).

        Raises UnknownNetwork, WeightsError, CheckpointError, RequestError, MissingExtra.
        """
        if backend not in BACKENDS:
            raise RequestError(f"no backend {backend!r}; there are: {', '.join(BACKENDS)}")
        if not isinstance(model, Checkpoint):
            model = typed(model)
            terms.say(model)
            model = checkpoints.resolve(model, weights)
        numpy_in_one_thread()
        self._fork_guard = ForkGuard()
        self.checkpoint = checkpoint = model
        self.backend = backend
        self._device = device
        self.quantized = quantized
        runtime = runtime or environment.runtime()
        precision = "int8" if quantized else precision or environment.precision()
        self.choice, self.runtime = start(checkpoint, runtime, precision, device, quantized)
        self.gathering = Gathering(self.runtime)
        self.space = EmbeddingSpace(
            network=checkpoint.network,
            weights=checkpoint.weights_id,
            preprocess=checkpoint.preprocess,
            dim=self.runtime.dim,
            text=checkpoint.text,
            int8=quantized.id if quantized else "",
            parts=windows.LAYOUT if checkpoint.parts else "",
        )

    @classmethod
    def load(
        cls,
        model: str = checkpoints.DEFAULT_NETWORK,
        weights: str = "imagenet",
        *,
        backend: str = BACKEND,
        runtime: str | None = None,
        precision: str | None = None,
        device: str | None = None,
        quantized: Quantized | None = None,
    ) -> "Embedder":
        """The same as ``Embedder(model, weights)``."""
        return cls(
            model,
            weights,
            backend=backend,
            runtime=runtime,
            precision=precision,
            device=device,
            quantized=quantized,
        )

    @classmethod
    def calibrated(
        cls,
        pictures: Iterable[str | Path],
        model: str = checkpoints.DEFAULT_NETWORK,
        weights: str = "imagenet",
        *,
        backend: str = BACKEND,
    ) -> "Embedder":
        """An embedder in int8, calibrated with some of these pictures: paths.

        Raises MissingExtra, and RequestError for too few of them or a network that int8 harms.
        """
        terms.say(model)
        quantized = calibrated(checkpoints.resolve(model, weights), pictures, backend)
        return cls(model, weights, backend=backend, quantized=quantized)

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process its checkpoint is sent, which is loaded there in the same way."""
        loaded = partial(
            Embedder,
            backend=self.backend,
            runtime=self.choice.runtime,
            precision=self.choice.precision,
            device=self._device,
            quantized=self.quantized,
        )
        return loaded, (self.checkpoint,)

    def share(self, sharing: Sharing) -> None:
        """Set how the callers of ``prepare`` and ``embed_picture`` share it, in all threads."""
        self.gathering.sharing = sharing

    def prepare(
        self, picture: Source, limits: Limits = DEFAULT_LIMITS, part: Part | None = None
    ) -> np.ndarray:
        """A picture (path, bytes, file, Pillow image) as the network's crop: uint8 (H, W, C).

        Of a panorama it is n times as high (panoramas.py). ``part`` takes a part of its pixels,
        uint8 (h, w, 3), all of which are decoded then.

        Raises PictureError.
        """
        with self.gathering.sharing.turn(), step("decode"):
            if part is not None:
                return self.crop(part(decode(picture, limits)))
            return self.crop(decode(picture, limits, target=self.checkpoint.preprocess.target))

    def prepare_row(self, picture: Source, limits: Limits = DEFAULT_LIMITS) -> np.ndarray:
        """As ``prepare``, for a row of a gallery: the picture and its parts, uint8 (V, H, W, C).

        Without parts V is 1. Raises PictureError.
        """
        if not self.space.parts:
            return self.prepare(picture, limits)[np.newaxis]
        with self.gathering.sharing.turn(), step("decode"):
            target = windows.CLOSER * self.checkpoint.preprocess.target
            pixels = decode(picture, limits, target=target)
            # the windows of a panorama are cut as often as the whole, so that all crops are stacked
            n = panoramas.count(*pixels.shape[:2])
            return np.stack([self.crop(view, n) for view in windows.cut(pixels)])

    def crop(self, pixels: np.ndarray, squares: int | None = None) -> np.ndarray:
        """Resized and cropped: uint8 (h, w, 3) → uint8 (H, W, C), of a panorama (n · H, W, C).

        ``squares`` is n, where the picture does not decide.
        """
        crop = self.checkpoint.preprocess.crop
        pieces = panoramas.squares(pixels, squares)
        return np.concatenate([crop(each, self.backend) for each in pieces])

    def embed(self, pictures: Source | Iterable[Source]) -> np.ndarray:
        """Pictures to unit vectors: N of them → float32 (N, D), one → float32 (D,).

        They are paths, bytes, files, Pillow images, arrays (H, W, 3) or tensors (3, H, W). Raises
        PictureError if one cannot be read; the message names its file.
        """
        if is_one(pictures):
            return self.embed_picture(pictures)
        left = iter(cast(Iterable[Source], pictures))
        found = [self.embed_crops([])]
        with ThreadPoolExecutor() as pool:
            while some := list(islice(left, TOGETHER)):
                found.append(self.embed_crops(list(pool.map(self.prepare, some))))
        return np.concatenate(found)

    def embed_crops(self, crops: Sequence[np.ndarray]) -> np.ndarray:
        """Crops of ``prepare`` to unit vectors: N of uint8 (H, W, C) → float32 (N, D)."""
        self._fork_guard.require_own_process("a network that is loaded")
        each = [self._views(crop) for crop in crops]
        views = [view for some in each for view in some]
        vectors = np.empty((len(views), self.space.dim), np.float32)
        for start in range(0, len(views), BATCH):
            batch = np.stack(views[start : start + BATCH])
            vectors[start : start + BATCH] = self.gathering.run(batch)
        return panoramas.joined(unit(vectors), [len(some) for some in each])

    def _views(self, crop: np.ndarray) -> np.ndarray:
        """The squares of a panorama's crop: uint8 (n · H, W, C) → (n, H, W, C)."""
        return crop.reshape(-1, self.checkpoint.preprocess.size[0], *crop.shape[1:])

    def embed_rows(self, views: Sequence[np.ndarray]) -> np.ndarray:
        """Views of ``prepare_row`` as rows of a gallery: N of (V, H, W, C) → float32 (N, row).

        The unit vector of the picture, then those of its parts where the space has any.
        """
        if not views:
            return np.empty((0, self.space.row), np.float32)
        vectors = self.embed_crops([view for row in views for view in row])
        if not self.space.parts:
            return vectors
        return windows.joined(vectors.reshape(len(views), -1, self.space.dim))

    def embed_picture(
        self, picture: Source, limits: Limits = DEFAULT_LIMITS, part: Part | None = None
    ) -> np.ndarray:
        """One picture (as in ``prepare``), or part of it, as a unit vector: float32 (D,).

        Raises PictureError.
        """
        self._fork_guard.require_own_process("a network that is loaded")
        with self.gathering.expected() as run:
            views = self._views(self.prepare(picture, limits, part))
            with step("embed"):
                return finite(panoramas.joined(unit(run(views)), [len(views)])[0])

    def embed_row(self, picture: Source, limits: Limits = DEFAULT_LIMITS) -> np.ndarray:
        """One picture (as in ``prepare_row``) as a row, float32 (row,) (PictureError)."""
        if not self.space.parts:
            return self.embed_picture(picture, limits)
        views = self.prepare_row(picture, limits)
        with step("embed"):
            return finite(self.embed_rows([views])[0])


def start(
    checkpoint: Checkpoint,
    runtime: str,
    precision: str,
    device: str | None,
    quantized: Quantized | None = None,
) -> tuple[Choice, Runtime]:
    """The runtime that was asked for, or the best; what kkcv chose itself may fail and be replaced.

    Raises RequestError, MissingExtra when what was asked for by name cannot be had.
    """
    choice = choose(checkpoint, runtime, precision, device)
    if choice.precision == "int8":
        if quantized is None:
            raise RequestError(
                "int8 is calibrated with the pictures of a gallery: "
                "kkcv index GALLERY PICTURES --precision int8"
            )
        from .runtimes.openvino import OpenVINO

        return choice, OpenVINO(checkpoint, device, "int8", quantized.network)
    while True:
        try:
            return choice, RUNTIMES[choice.runtime](checkpoint, device, choice.precision)
        except RequestError as error:
            after = AFTER.get(choice.runtime)
            if runtime != AUTO or after is None:
                raise
            warnings.warn(f"{error}; kkcv goes on with {after}", RuntimeWarning, stacklevel=3)
            choice = Choice(after, "float32")


def finite(vector: np.ndarray) -> np.ndarray:
    """The vector itself, or PictureError where the network answers with NaN or infinity."""
    if not np.isfinite(vector).all():
        raise PictureError("the network answers with values that are not finite", "corrupt")
    return vector
