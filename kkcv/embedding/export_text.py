"""The child process that exports a text tower: ``python -m kkcv.embedding.export_text text DIR``.

It reads the pickled checkpoint from standard input. The tokens and the vectors of what was exported
are compared with the library's own for some texts: a difference is an error.
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from kkcv import adapters
from kkcv.checkpoint import Checkpoint
from kkcv.errors import RequestError

from .child import as_child
from .export import to_onnx
from .probe import CLOSE, cosine
from .runtimes.onnxruntime import session
from .text import OUTPUT
from .text_cleaning import CLEANING

# HTML, emphasis, Chinese and more than the context: where tokenizers differ
TRIED = ("a photo of a cat", "Two dogs, one's RED &amp; 12 cars!", "一只猫", "so many " * 99)


def export(checkpoint: Checkpoint, folder: Path) -> None:
    tower = adapters.tower(checkpoint.name, checkpoint.weights_name)
    tokens = tower.tokenize(list(TRIED))
    ours = Tokenizer.from_str(tower.tokenizer)
    clean = CLEANING[tower.cleaning]
    if not np.array_equal([ours.encode(clean(text)).ids for text in TRIED], tokens.numpy()):
        raise RequestError(f"the tokenizer of {checkpoint.name} cannot be exported")
    with torch.inference_mode():
        vectors = tower.module(tokens).numpy()
    program = to_onnx(tower.module, tokens, [OUTPUT], takes="tokens")
    program.save(folder / "model.onnx", external_data=True)  # to be mapped (text.py)
    (answer,) = session(folder / "model.onnx").run([OUTPUT], {"tokens": tokens.numpy()})
    if not (least := cosine(answer, vectors).min()) >= CLOSE["float32"]:
        raise RequestError(f"exported, {checkpoint.name} reads otherwise: cosine {least:.4f}")
    (folder / "tokenizer.json").write_text(tower.tokenizer, encoding="utf-8")
    (folder / "text.json").write_text(json.dumps({"cleaning": tower.cleaning}), encoding="utf-8")
    np.savez(folder / "reference.npz", tokens=tokens.numpy(), vectors=vectors)


if __name__ == "__main__":
    torch.set_num_threads(1)  # as in export.py
    with as_child():
        export(pickle.load(sys.stdin.buffer), Path(sys.argv[2]))
