"""Write the bundled network from the zoo's own module: ``python -m benchmarks.bundle``.

It prints the sha256 that bundled.py and NOTICE have. Its bytes depend on the versions of torch and
onnxscript, so write it again only for a reason.
"""

import warnings

import numpy as np
import torch
from torch import Tensor, nn

from kkcv.checkpoint import pretrained
from kkcv.disk import atomic_write, sha256_of
from kkcv.embedding import bundled
from kkcv.embedding.export import synthetic_pictures, to_onnx
from kkcv.embedding.whole import Outputs
from kkcv.zoo.network import Network


class Whole(nn.Module):
    """All outputs of a network: map, embedding, scores."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.network.features(images)
        embedding = self.network.neck(features)
        return features, embedding, self.network.head(embedding)


def main() -> None:
    checkpoint = pretrained(bundled.NETWORK)
    network = Whole(checkpoint.build()).eval()
    crops = synthetic_pictures(checkpoint.preprocess)
    images = torch.from_numpy(checkpoint.preprocess.normalize(crops))
    program = to_onnx(network, images, Outputs._fields)
    without_traces_of_this_machine(program)
    bundled.FILE.parent.mkdir(exist_ok=True)
    with atomic_write(bundled.FILE) as part:
        program.save(part, external_data=False)
    with torch.inference_mode():
        vectors = network(images)[1].numpy()
    with atomic_write(bundled.REFERENCE) as part, part.open("wb") as out:
        np.savez_compressed(out, crops=crops, vectors=vectors)
    print(f"{sha256_of(bundled.FILE)}  {bundled.FILE.name}")


def without_traces_of_this_machine(program: torch.onnx.ONNXProgram) -> None:
    """Take out what the exporter notes of each node: stack traces with the paths of files here."""
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
    for value in program.model.graph.initializers.values():
        value.metadata_props.clear()
    program.model.metadata_props.clear()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
