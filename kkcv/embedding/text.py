"""Texts to vectors without PyTorch: the text tower of a CLIP, exported once.

    networks/<fingerprint>-text/
    ├── model.onnx, model.onnx.data   tokens int64 (N, L) → vectors float32 (N, D)
    ├── tokenizer.json                text → tokens, in the format of the library tokenizers
    ├── text.json                     how texts are cleaned before
    └── reference.npz                 tokens, and what PyTorch makes of them

The weights are mapped from their file and used as they lie there: of a table of 256,000 tokens only
the few rows of a query are ever read.
"""

import json
from collections.abc import Sequence

import numpy as np

from kkcv.checkpoint import Checkpoint
from kkcv.extras import need

from .networks import exported
from .runtimes.onnxruntime import session
from .space import unit
from .text_cleaning import CLEANING

OUTPUT = "vector"


class TextTower:
    """The exported text tower of a network. Safe to use from several threads.

    Raises RequestError where the network reads no text or cannot be exported; MissingExtra.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        for module in ("tokenizers", "ftfy"):
            need(module)
        from tokenizers import Tokenizer

        tower = exported(checkpoint, "text")
        folder, self.dim = tower.file.parent, tower.dim
        settings = json.loads((folder / "text.json").read_text(encoding="utf-8"))
        self._clean = CLEANING[settings["cleaning"]]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._session = session(folder / "model.onnx", mapped=True)

    def tokens(self, texts: Sequence[str]) -> np.ndarray:
        """N texts → int64 (N, L), padded or cut to the network's context."""
        found = self._tokenizer.encode_batch([self._clean(text) for text in texts])
        return np.array([each.ids for each in found], np.int64)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """N texts → unit vectors float32 (N, D), in the space of the pictures."""
        (vectors,) = self._session.run([OUTPUT], {"tokens": self.tokens(texts)})
        return unit(np.asarray(vectors, np.float32))
