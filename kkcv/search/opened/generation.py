"""A generation: a gallery between two changes of its network."""

import json
import threading
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from kkcv import adapters
from kkcv.checkpoint import is_public, resolve
from kkcv.embedding import terms
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.gathering import Sharing
from kkcv.embedding.quantized import keep, kept
from kkcv.embedding.space import EmbeddingSpace
from kkcv.embedding.text import TextTower
from kkcv.errors import EmbedderMismatch, GalleryFormatError, KkcvError, RequestError
from kkcv.search.chance.store import CalibrationStore
from kkcv.search.engine import Catalog, Engine
from kkcv.search.engine.projection import SETTING, Projection
from kkcv.search.library.library import Library
from kkcv.zoo.loading.averages import named, with_ending


class Generation:
    """Catalog, embedding space, index and embedder that belong together and never change.

    ``stored_space`` is the embedder's. A gallery that has learned from its labels compares vectors
    in another one, ``space``, to which ``projected`` brings an embedding.

    A caller works with one generation from start to end. Its index answers from its own vectors;
    its catalog refuses to write once the gallery has another network.
    """

    def __init__(self, engine: Engine, embedder: Embedder | None = None) -> None:
        self.catalog = engine.catalog
        self.next_vectors = engine.next_vectors
        self.stored_space = space_of(self.catalog)
        self.projection = Projection.from_text(self.catalog.settings.get(SETTING, ""))
        self.space = self.stored_space
        if (learned := self.projection) is not None:
            self.space = replace(self.space, dim=learned.dim, projection=learned.fingerprint)
        self.index = engine.index_for(self.space)
        self.calibration = CalibrationStore(self.folder, self.space.fingerprint)
        self.library = Library(self.catalog)
        self.sharing = Sharing()
        self._embedder = embedder
        self._text_tower: TextTower | None = None
        self._may_export_texts = True  # until it failed once
        # a network is loaded once, not by every thread that waits for it
        self._loading = threading.Lock()
        if embedder is not None:
            self._must_match(embedder)
            if embedder.quantized is not None:
                keep(embedder.quantized, self.folder)

    @property
    def folder(self) -> Path:
        """For the files beside the rows: pictures added as bytes, rejects, calibration."""
        return self.catalog.folder

    @property
    def embedder(self) -> Embedder:
        """The embedder of the vectors, loaded at first use (WeightsError, EmbedderMismatch)."""
        with self._loading:
            if self._embedder is None:
                embedder = embedder_for(self.catalog.settings, self.folder)
                self._must_match(embedder)
                embedder.share(self.sharing)
                self._embedder = embedder
            return self._embedder

    def use(self, embedder: Embedder) -> None:
        """Take a network that is loaded already, such as another gallery's (EmbedderMismatch)."""
        with self._loading:
            self._must_match(embedder)
            self._embedder = embedder

    def text_tower(self) -> TextTower | None:
        """The exported text tower, loaded at first use; None where the library reads texts itself.

        Raises MissingExtra, WeightsError.
        """
        with self._loading:
            model, weights = (self.catalog.settings[name] for name in ("model", "weights"))
            if self._text_tower is None and self._may_export_texts and adapters.has_tower(model):
                try:
                    self._text_tower = TextTower(resolve(model, weights))
                except RequestError as error:
                    warnings.warn(f"{error}; PyTorch embeds texts", RuntimeWarning, stacklevel=2)
                    self._may_export_texts = False
            return self._text_tower

    def next(self, engine: Engine) -> "Generation":
        """The following generation, with the same embedder if the network is the same."""
        following = Generation(engine)
        if following.stored_space == self.stored_space:  # as after a change of projection
            following._embedder = self._embedder
            following._text_tower = self._text_tower
        following.share(self.sharing)
        return following

    def share(self, sharing: Sharing) -> None:
        """Set how requests share the embedder, also before it is loaded."""
        with self._loading:
            self.sharing = sharing
            if self._embedder is not None:
                self._embedder.share(sharing)

    def projected(self, vectors: np.ndarray) -> np.ndarray:
        """Embeddings in the gallery's space: unit vectors (N, D), or one (D,)."""
        return vectors if self.projection is None else self.projection(vectors)

    def _must_match(self, embedder: Embedder) -> None:
        mine = self.stored_space
        if embedder.space != mine:
            raise EmbedderMismatch(
                f"{self.catalog.address} was made by {mine.network} "
                f"({mine.fingerprint}), this is {embedder.space.network} "
                f"({embedder.space.fingerprint}): "
                f"{'; '.join(mine.differences(embedder.space))}; "
                "use the gallery's own network, make another gallery, or change it: kkcv reindex"
            )


def space_of(catalog: Catalog) -> EmbeddingSpace:
    """The embedding space of a catalog's vectors (GalleryFormatError)."""
    try:
        space = EmbeddingSpace.from_dict(json.loads(catalog.settings["space"]))
        if str(space.row) != catalog.settings["dim"]:
            raise ValueError(f"its rows have {catalog.settings['dim']} numbers, or {space.row}")
        return space
    except (KeyError, ValueError, KkcvError) as error:
        raise GalleryFormatError(
            f"{catalog.address} is damaged: it does not say what made its vectors ({error}); "
            "restore a backup: kkcv restore"
        ) from None


def embedder_for(settings: Mapping[str, str], folder: Path) -> Embedder:
    """Load the embedder of ``settings_for``; the folder keeps an int8 network (WeightsError)."""
    model, weights = origin(settings)
    terms.known(model)
    int8 = json.loads(settings["space"]).get("int8")
    return Embedder(
        model, weights, backend=settings["backend"], quantized=kept(folder, int8) if int8 else None
    )


def origin(settings: Mapping[str, str]) -> tuple[str, str]:
    """The network and the weights of a catalog, as ``checkpoint.resolve`` finds them.

    The path alone of a file with an average of weights means its raw ones: it is of a kkcv that
    took no averages.
    """
    model, weights = settings["model"], settings["weights"]
    own = weights != "none" and not is_public(weights) and adapters.split(model) is None
    if own and named(weights).ema is None:
        weights = with_ending(weights, ema=False)
    return model, weights


def settings_for(embedder: Embedder, vectors: str) -> dict[str, str]:
    """The settings by which a catalog remembers its embedder."""
    return {
        "space": json.dumps(embedder.space.to_dict()),
        "dim": str(embedder.space.row),
        "vectors": vectors,
        "model": embedder.checkpoint.name,
        "weights": embedder.checkpoint.weights_name,
        "backend": embedder.backend,
        "projection": "",
    }
