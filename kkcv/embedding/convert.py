"""The child process that converts the bundled network: ``python -m kkcv.embedding.convert openvino
FOLDER``.

OpenVINO reads ONNX too, but its own format in a fifth of the time.
"""

import shutil
import sys
from pathlib import Path

from . import bundled
from .child import as_child
from .runtimes.openvino import import_openvino


def convert(folder: Path) -> None:
    openvino = import_openvino()
    model = openvino.Core().read_model(bundled.FILE)
    openvino.save_model(model, folder / "model.xml", compress_to_fp16=False)
    shutil.copyfile(bundled.REFERENCE, folder / "reference.npz")


if __name__ == "__main__":
    with as_child():
        convert(Path(sys.argv[-1]))
