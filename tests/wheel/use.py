"""A user of an installed kkcv: ``python use.py EXTRA`` in an empty folder; "core" has no extras.

Nothing but the installed package and its dependencies is imported. Pictures are drawn here.
"""

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import numpy as np
from PIL import Image, ImageDraw

KKCV = [sys.executable, "-m", "kkcv"]
OFFLINE = {**os.environ, "KKCV_OFFLINE": "1"}
# A teal picture of 64 x 64 pixels with an orange square: the extra heic cannot write one.
A_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAA"
    "AAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABegABAAAAAAAAAC8AAAAjaWluZgAAAAAAAQAAABVpbmZlAgAA"
    "AAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34"
    "+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmu"
    "bgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAA"
    "QAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAADdtZGF0AAAAKygBrxmA/UI+A/9y2ES7"
    "b9uDTNxguT7P1u/My6uQ/cV7mpeTPevBehiIhQQ="
)


def pictures(folder: Path, count: int = 16) -> list[Path]:
    """Pictures of forms in many colors, in two folders."""
    generator = np.random.default_rng(7)
    paths = []
    for i in range(count):
        path = folder / ("even", "odd")[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (320, 256), tuple(generator.integers(0, 255, 3).tolist()))
        draw = ImageDraw.Draw(picture)
        for _ in range(4 + i):
            (x, y), (w, h) = generator.integers(0, 200, 2), generator.integers(20, 120, 2)
            form = draw.ellipse if generator.random() < 0.5 else draw.rectangle
            form((x, y, x + w, y + h), tuple(generator.integers(0, 255, 3).tolist()))
        picture.save(path)
        paths.append(path)
    return paths


def run(*arguments: object) -> str:
    done = subprocess.run(
        [*KKCV, *map(str, arguments)], capture_output=True, text=True, env=OFFLINE
    )
    if done.returncode:
        sys.exit(f"kkcv {' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
    return done.stdout


def core() -> None:
    """Index, search, serve, classify, read the zoo, train nothing: what every installation can."""
    run("--version")
    run("index", "g", "pictures")
    Image.open("pictures/odd/3.png").resize((300, 240)).save("query.png")
    best = json.loads(run("search", "g", "query.png", "-k", 1, "--json"))["hits"][0]
    assert best["path"].endswith("odd/3.png"), best
    run("search", "g", "query.png", "--sheet", "answer.png")
    run("zoo", "show", "resnet50")
    run("classify", "query.png", "--lang", "zh")
    run("explain", "query.png", "pictures/odd/3.png", "-o", "why.png")
    run("doctor", "g")
    served()


def served() -> None:
    """The service answers, with the files that its page needs."""
    with started("serve", "g", "--port", 0) as address:
        for path in ("healthz", "docs", "docs/docs.css", "docs/docs.js", "openapi.json"):
            assert read(f"{address}/{path}")


@contextmanager
def started(*arguments: object) -> Iterator[str]:
    """The address of a server, which is ended at last."""
    process = subprocess.Popen(
        [*KKCV, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=OFFLINE,
    )
    try:
        assert process.stdout is not None
        said = (re.search(r"http://(127\.0\.0\.1|localhost):\d+", line) for line in process.stdout)
        yield next(filter(None, said))[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def read(address: str) -> bytes:
    """The value, once there is one."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address) as answer:
                return bytes(answer.read())
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def heic() -> None:
    Path("three.heic").write_bytes(base64.b64decode(A_HEIC))
    run("index", "g", "three.heic")
    assert json.loads(run("stats", "g", "--json"))["pictures"] == 17


def web() -> None:
    with started("web", "g", "--no-browser", "--port", 0) as address:
        assert b"streamlit" in read(address).lower()


def parquet() -> None:
    run("export", "g", "g.parquet")
    run("import", "copy", "g.parquet")


def milvus() -> None:
    """There is no server, and kkcv says so; without the extra it would ask for that."""
    done = subprocess.run(
        [*KKCV, "stats", "milvus://127.0.0.1:9/none"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "127.0.0.1:9" in done.stderr, done.stderr


def zoo() -> None:
    run("zoo", "verify", "lenet5_1998")
    run("zoo", "draw", "resnet18", "-o", "r.svg")
    run("index", "z", "pictures", "--model", "resnet18", "--weights", "none")


def openvino() -> None:
    run("index", "o", "pictures", "--runtime", "openvino")


def int8() -> None:
    import nncf  # noqa: F401


def train() -> None:
    run("train", "pictures", "--out", "run", "--epochs", 1)
    run("onnx", "run", "run.onnx")


def timm() -> None:
    run("index", "t", "pictures", "--model", "timm:resnet18", "--weights", "none")


def open_clip() -> None:
    run("index", "c", "pictures", "--model", "open_clip:RN50", "--weights", "none")


def adapt() -> None:
    """Only that the learning process starts is checked, not what the labels teach."""
    pictures(Path("many"), 60)
    run("index", "a", "many")
    run("adapt", "a", "--labels", "folder")


def transformers() -> None:
    from transformers import AutoModel  # noqa: F401

    import kkcv.adapters.transformers  # noqa: F401


def docs() -> None:
    import jieba  # noqa: F401
    import mkdocstrings  # noqa: F401
    from mkdocs import __main__  # noqa: F401


def notebooks() -> None:
    import nbformat
    from nbclient import NotebookClient

    cell = nbformat.v4.new_code_cell("import kkcv, matplotlib, skimage")
    NotebookClient(nbformat.v4.new_notebook(cells=[cell])).execute()


# By extra: what it is for. Of dev and bench, which are for work on kkcv itself, nothing is tried.
USES: dict[str, Callable[[], object]] = {
    "core": core,
    "heic": heic,
    "web": web,
    "demo": lambda: run("demo"),
    "parquet": parquet,
    "milvus": milvus,
    "zoo": zoo,
    "draw": lambda: run("zoo", "draw", "lenet5_1998", "-o", "r.png"),
    "openvino": openvino,
    "int8": int8,
    "train": train,
    "timm": timm,
    "open-clip": open_clip,
    "transformers": transformers,
    "adapt": adapt,
    "docs": docs,
    "notebooks": notebooks,
    "pandas": lambda: __import__("pandas"),
    "raw": lambda: __import__("rawpy"),
    "jxl": lambda: __import__("pillow_jxl"),
    "tiff": lambda: __import__("tifffile"),
    "text": lambda: __import__("tokenizers"),
}

if __name__ == "__main__":
    import kkcv as package

    # ROOT is given by those who try that nothing of the checkout is in use.
    root = os.environ.get("ROOT")
    assert package.__file__ is not None
    assert root is None or not Path(package.__file__).is_relative_to(Path(root) / "kkcv")
    pictures(Path("pictures"))
    if sys.argv[1] != "core":
        run("index", "g", "pictures")
    USES[sys.argv[1]]()
