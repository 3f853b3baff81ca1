"""A trained classifier as one ONNX file, for programs that have no PyTorch."""

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from kkcv.checkpoint import Checkpoint
from kkcv.disk import atomic_write, writing
from kkcv.embedding.export import to_onnx
from kkcv.embedding.runtimes.onnxruntime import import_onnxruntime
from kkcv.errors import MissingExtra, TrainingError
from kkcv.zoo.network import Network

TOLERANCE = 1e-3  # on probabilities, between PyTorch and what was exported


class Exported(nn.Module):
    """images (N, C, H, W), normalized → probabilities (N, K), calibrated, and embedding (N, D)."""

    def __init__(self, network: Network, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network.features(images)
        scores, embedding = self.network.scores(features), self.network.neck(features)
        return (scores / self.temperature).softmax(1), embedding


def export_onnx(checkpoint: Checkpoint, path: str | Path) -> None:
    """Write ``path``: from ``images`` to ``probabilities`` and ``embedding``, for any batch size.

    Classes, preprocessing and network name lie in the metadata. The file is run once and compared.

    Raises MissingExtra, TrainingError when the file cannot be written or answers otherwise.
    """
    onnxruntime = import_onnxruntime()
    try:
        import onnx
        import onnxscript  # noqa: F401  # the exporter wants it
    except ImportError:
        raise MissingExtra("ONNX export", "train") from None
    path, spec = Path(path), checkpoint.preprocess
    if not path.parent.is_dir():
        raise TrainingError(f"{path} cannot be written: there is no folder {path.parent}")
    module = Exported(checkpoint.build(), checkpoint.temperature).eval()
    images = torch.rand(2, spec.channels, *spec.size, generator=torch.Generator().manual_seed(0))
    model = to_onnx(module, images, ["probabilities", "embedding"]).model_proto
    facts = {
        "network": checkpoint.network,
        "classes": json.dumps(checkpoint.classes),
        "preprocess": json.dumps(spec.to_dict()),
        "whole": json.dumps(checkpoint.whole),
    }
    onnx.helper.set_model_props(model, facts)
    with writing(path, TrainingError), atomic_write(path) as part:
        onnx.save(model, part)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    answer = session.run(["probabilities"], {"images": images.numpy()})[0]
    with torch.inference_mode():
        expected = module(images)[0].numpy()
    if not np.allclose(answer, expected, atol=TOLERANCE):
        off = float(np.abs(answer - expected).max())
        path.unlink()
        raise TrainingError(
            f"the exported network answers otherwise (by {off:.2g}); nothing is kept"
        )
