"""The recall of each kind of index, beside the recall that it promised.

    python -m benchmarks.recall PICTURES --bursts PHOTOGRAPHS --outside OTHERS

Three galleries: PICTURES; bursts, twelve shots of each of some PHOTOGRAPHS (cut, turned by up to 2
degrees, compressed anew); and 20,000 vectors grown from PICTURES (grown.py). Each kind of index
is built and measured as ``kkcv tune`` does it, then asked with the gallery's own vectors and with
pictures of OTHERS. Small galleries compare all; with ``--always`` they go through the index too.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from kkcv.search.index import effort
from kkcv.search.index.build import built
from kkcv.search.index.exact import inner_products
from kkcv.search.index.kinds import KINDS
from kkcv.search.index.outside import held_out
from kkcv.search.index.records import Records
from kkcv.search.index.snapshot import Snapshot

from .command import existing, pictures_in, run
from .gallery import embedded, say
from .grown import Grown
from .report import report

RECALL = 0.99
GROWN = 20_000
SHOTS = 12
QUERIES = 120
SAME = 1e-4  # float16 beside float32


def shots(photographs: list[Path]) -> Iterator[bytes]:
    chance = np.random.default_rng(0)
    for photograph in photographs:
        whole = Image.open(photograph).convert("RGB")
        for _ in range(SHOTS):
            width, height = (int(side * chance.uniform(0.93, 1)) for side in whole.size)
            left = int(chance.integers(whole.width - width + 1))
            top = int(chance.integers(whole.height - height + 1))
            cut = whole.crop((left, top, left + width, top + height))
            data = BytesIO()
            turned = cut.rotate(chance.uniform(-2, 2), Image.Resampling.BILINEAR)
            turned.save(data, "JPEG", quality=int(chance.integers(60, 95)))
            yield data.getvalue()


def vectors_of(pictures: list[Path], scratch: Path) -> np.ndarray:
    embedded(pictures, scratch)
    return np.load(scratch / "real.npy")


def written(photographs: list[Path], folder: Path) -> list[Path]:
    folder.mkdir()
    for number, data in enumerate(shots(photographs)):
        (folder / f"{number:06d}.jpg").write_bytes(data)
    return sorted(folder.iterdir())


def some(vectors: np.ndarray) -> np.ndarray:
    return vectors[np.random.default_rng(0).permutation(len(vectors))[:QUERIES]]


def measured(name: str, kind: str, vectors: np.ndarray, outside: np.ndarray) -> list[dict]:
    held = held_out(len(vectors))
    index, plans, order = built(KINDS[kind], vectors[~held], lambda: iter([vectors]), held, RECALL)
    records = Records.of(b"" for _ in order)
    snapshot = Snapshot(0, "space", KINDS[kind], plans, order, index, records)
    rows = []
    for plan in plans:
        row = {
            "gallery": f"{name}, {len(vectors):,}",
            "kind": kind,
            "k": plan.k,
            "efforts": " then ".join(map(str, plan.described()["efforts"])),
            "promised": plan.recall,
        }
        for who, queries in (("the gallery", some(vectors)), ("outside", some(outside))):
            began = time.perf_counter()
            found = snapshot.search(queries, plan.k)
            row[f"ms, {who}"] = 1000 * (time.perf_counter() - began) / len(queries)
            least = inner_products(queries, vectors, plan.k)[1][:, -1:]
            recall = np.sort((found.scores >= least - SAME).mean(axis=1))
            row[f"recall, {who}"] = float(recall.mean())
            row[f"its worst tenth, {who}"] = float(recall[: len(recall) // 10].mean())
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=existing)
    parser.add_argument("--bursts", nargs="+", type=existing, required=True, metavar="PHOTOGRAPHS")
    parser.add_argument("--outside", nargs="+", type=existing, required=True, metavar="OTHERS")
    parser.add_argument("--always", action="store_true", help="use the index in any case")
    options = parser.parse_args()
    if options.always:
        effort.WORTH_MS = -np.inf
    with tempfile.TemporaryDirectory(prefix="kkcv-recall-") as folder:
        scratch = Path(folder)
        real = vectors_of(pictures_in(options.pictures), scratch)
        outside = vectors_of(pictures_in(options.outside), scratch)
        say("making bursts")
        photographs = pictures_in(options.bursts)[:150]
        bursts = vectors_of(written(photographs, scratch / "shots"), scratch)
        grown = np.concatenate(list(Grown(real).chunks(GROWN)))
    rows = []
    for name, vectors in (("pictures", real), ("bursts", bursts), ("grown", grown)):
        for kind in KINDS:
            say(f"{name}, {kind}")
            rows += measured(name, kind, vectors, outside)
    report("recall", f"recall of the exact k nearest; {RECALL} was asked for", rows)


if __name__ == "__main__":
    run(main)
