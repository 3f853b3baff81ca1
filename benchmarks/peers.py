"""Search at equal recall: kkcv, raw Faiss, and the libraries and databases that people use.

    python -m benchmarks.peers PICTURES... --outside OTHERS [--count 100000] [--only kkcv,hnswlib]

``count`` vectors are grown from the real embeddings of PICTURES (grown.py). Queries are from
outside: half are new vectors, grown alike, and half are pictures of OTHERS, things that are not
there. Each system is a process of its own: it stores and indexes the vectors, then its effort is
raised until it finds 0.99 of the exact k nearest of both halves, for k = 10, 100 and 1,000. Then
the systems take turns, in several passes, the best of which counts: one query after the other
(p50), and 64 at a time on all cores, also ``by CPU``, the rate that the processor time used would
give. Rates are shown beside hnswlib's. What stores too slowly is stopped after minutes of processor
time, and its row says how far it came.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from kkcv.machine import cores
from kkcv.search.index.exact import inner_products

from .command import existing, pictures_in, run, some_of
from .gallery import embedded, overlap, say
from .grown import Grown
from .peer_systems import SYSTEMS, System, TooSlow
from .report import report

DEPTHS = (10, 100, 1000)
RECALL = 0.99
HALF, BATCH = 256, 64
PASSES = 3
SINGLE = 200  # queries that are asked one by one
SECONDS = 1.5  # of queries 64 at a time
EFFORTS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096)
BASELINE = "hnswlib"


def child(name: str, scratch: Path) -> None:
    """Build, tune, say so; then a pass for each line of standard input."""
    vectors = np.load(scratch / "vectors.npy", mmap_mode="r")
    queries, truth = np.load(scratch / "queries.npy"), np.load(scratch / "truth.npy")
    began = time.perf_counter()
    try:
        system: System = SYSTEMS[name](vectors, scratch / name)
    except TooSlow as slow:
        print(json.dumps({"failure": str(slow)}), flush=True)
        return
    facts: dict[str, Any] = {"failure": "", "build": time.perf_counter() - began}
    efforts = {k: tuned(system, queries, truth[:, :k]) for k in DEPTHS}
    facts |= {f"recall {k}": found for k, (_, found) in efforts.items()}
    print(json.dumps({**facts, "memory": resident()}), flush=True)
    for _ in sys.stdin:
        figures: dict[str, float] = {}
        for k, (effort, _) in efforts.items():
            system.effort = effort
            figures |= {
                f"{what} {k}": value for what, value in measured(system, queries, k).items()
            }
        print(json.dumps(figures), flush=True)


def tuned(system: System, queries: np.ndarray, truth: np.ndarray) -> tuple[int, float]:
    """The least effort that reaches the recall, and the recall of the half that is found worse."""
    for effort in EFFORTS if system.tunable else EFFORTS[:1]:
        system.effort = effort
        found = system.search(queries, truth.shape[1])
        recall = min(overlap(found[half::2], truth[half::2]) for half in (0, 1))
        if recall >= RECALL:
            break
    return effort, recall


def resident() -> float:
    """MB of this process, without files that are only mapped."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def measured(system: System, queries: np.ndarray, k: int) -> dict[str, float]:
    one = []
    for number in range(SINGLE):
        began = time.perf_counter()
        system.search(queries[number : number + 1], k)
        one.append(1000 * (time.perf_counter() - began))
        if sum(one) > 10_000:  # milliseconds
            break
    parts = [queries[n : n + BATCH] for n in range(0, len(queries), BATCH)]
    began, cpu, done = time.perf_counter(), time.process_time(), 0
    while (took := time.perf_counter() - began) < SECONDS or done % len(parts):
        system.search(parts[done % len(parts)], k)
        done += 1
    by_cpu = cores() * done * BATCH / (time.process_time() - cpu)
    p50, p99 = np.percentile(one, [50, 99])
    return {"p50": float(p50), "p99": float(p99), "rate": done * BATCH / took, "by_cpu": by_cpu}


def prepare(pictures: list[Path], others: list[Path], count: int, scratch: Path) -> None:
    """The vectors, the queries of both halves by turns, and the exact answers."""
    embedded(others, scratch)
    unlike = np.load(scratch / "real.npy")
    embedded(pictures, scratch)
    grown = Grown(np.load(scratch / "real.npy"))
    vectors = np.concatenate(list(grown.chunks(count)))
    new = next(grown.chunks(HALF, seed=1))
    unlike = unlike[np.random.default_rng(0).permutation(len(unlike))[:HALF]]
    queries = np.stack([new, unlike], axis=1).reshape(2 * HALF, -1)
    np.save(scratch / "vectors.npy", vectors)
    np.save(scratch / "queries.npy", queries)
    np.save(scratch / "truth.npy", inner_products(queries, vectors, DEPTHS[-1])[0])


def compare(names: list[str], scratch: Path) -> list[dict[str, Any]]:
    children: dict[str, subprocess.Popen[str]] = {}
    figures: dict[str, dict[str, Any]] = {}
    for name in names:
        say(f"{name}: building")
        command = [sys.executable, "-m", "benchmarks.peers", "child", name, str(scratch)]
        children[name] = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | ({"OMP_WAIT_POLICY": "PASSIVE"} if "kkcv" in name else {}),
        )
        line = "{}"
        while line and "failure" not in line:  # other lines are a library's own
            line = children[name].stdout.readline()  # type: ignore[union-attr]
        figures[name] = json.loads(line or '{"failure": "it ended with an error"}')
    for _ in range(PASSES):
        for name in [name for name in names if not figures[name]["failure"]]:
            ends = children[name]
            assert ends.stdin
            assert ends.stdout
            ends.stdin.write("\n")
            ends.stdin.flush()
            new, old = json.loads(ends.stdout.readline()), figures[name]
            for key, value in new.items():
                better = max if key.startswith(("rate", "by_cpu")) else min
                old[key] = better(value, old.get(key, value))
    for each in children.values():
        each.communicate()
    base = figures.get(BASELINE, {})
    return [row(name, f, base) for name, f in figures.items()]


def row(name: str, figures: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    def ratio(key: str) -> float | None:
        return figures[key] / base[key] if key in figures and key in base else None

    found: dict[str, Any] = {"": name}
    for k in DEPTHS:
        found |= {
            f"recall@{k}": figures.get(f"recall {k}"),
            f"p50 ms, k={k}": figures.get(f"p50 {k}"),
            f"queries/s, k={k}": figures.get(f"rate {k}"),
            f"to {BASELINE}, k={k}": ratio(f"rate {k}"),
            f"by CPU, k={k}": ratio(f"by_cpu {k}"),
        }
    facts = {"build s": figures.get("build"), "MB": figures.get("memory")}
    return found | facts | {"note": figures["failure"]}


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], Path(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=existing)
    parser.add_argument("--outside", nargs="+", type=existing, required=True, metavar="OTHERS")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument(
        "--only", type=some_of(SYSTEMS), default=",".join(SYSTEMS), help="names, parted by commas"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kkcv-peers-") as folder:
        say("growing the vectors")
        pictures, others = (pictures_in(each) for each in (options.pictures, options.outside))
        prepare(pictures, others, options.count, Path(folder))
        rows = compare(options.only, Path(folder))
    title = (
        f"search among {options.count:,} vectors of 1280, queries from outside, recall of at least "
        f"{RECALL}"
    )
    packages = ("hnswlib", "usearch", "lancedb", "chromadb", "qdrant-client")
    report("search", title, rows, packages)


if __name__ == "__main__":
    run(main)
