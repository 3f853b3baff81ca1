"""Search at equal recall: kkcv, raw Faiss, and the libraries and databases that people use.

    python -m benchmarks.peers PICTURES... [--count 100000] [--only kkcv,hnswlib]

``count`` vectors are grown from the real embeddings of PICTURES (grown.py). Each system is a
process of its own: it stores and indexes them, then its effort is raised until it finds 0.99 of the
exact ten nearest of 500 new vectors. Then the systems take turns, in several passes, the best of
which counts: one query after the other (p50, p99), and 64 at a time on all cores, also ``by CPU``,
the rate that the processor time used would give. What stores too slowly is stopped after minutes of
processor time, and its row says how far it came.
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

from kkcv.embedding.threads import cores
from kkcv.search.index.exact import inner_products

from .gallery import embedded, overlap, say
from .grown import Grown
from .peer_systems import SYSTEMS, System, TooSlow
from .report import report

K = 10
RECALL = 0.99
QUERIES, BATCH = 500, 64
PASSES = 3
EFFORTS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)


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
    built = time.perf_counter() - began
    for effort in EFFORTS if system.tunable else EFFORTS[:1]:
        system.effort = effort
        found = overlap(system.search(queries, K), truth)
        if found >= RECALL:
            break
    facts = {"failure": "", "recall": found, "effort": effort if system.tunable else 0}
    print(json.dumps({**facts, "build": built, "memory": resident()}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(measured(system, queries)), flush=True)


def resident() -> float:
    """MB of this process, without files that are only mapped."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def measured(system: System, queries: np.ndarray) -> dict[str, float]:
    one = []
    for number in range(200):
        began = time.perf_counter()
        system.search(queries[number : number + 1], K)
        one.append(1000 * (time.perf_counter() - began))
        if sum(one) > 10_000:  # milliseconds
            break
    parts = [queries[n : n + BATCH] for n in range(0, len(queries) - BATCH + 1, BATCH)]
    began, cpu, done = time.perf_counter(), time.process_time(), 0
    while (took := time.perf_counter() - began) < 1.5:
        system.search(parts[done % len(parts)], K)
        done += 1
    by_cpu = cores() * done * BATCH / (time.process_time() - cpu)
    p50, p99 = np.percentile(one, [50, 99])
    return {"p50": float(p50), "p99": float(p99), "rate": done * BATCH / took, "by_cpu": by_cpu}


def prepare(pictures: list[Path], count: int, scratch: Path) -> None:
    """The vectors, the queries, and the exact answers."""
    embedded(pictures, scratch)
    grown = Grown(np.load(scratch / "real.npy"))
    vectors = np.concatenate(list(grown.chunks(count)))
    queries = next(grown.chunks(QUERIES, seed=1))
    np.save(scratch / "vectors.npy", vectors)
    np.save(scratch / "queries.npy", queries)
    np.save(scratch / "truth.npy", inner_products(queries, vectors, K)[0])


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
            old.update({key: max(new[key], old.get(key, 0)) for key in ("rate", "by_cpu")})
            old.update({key: min(new[key], old.get(key, 1e9)) for key in ("p50", "p99")})
    for each in children.values():
        each.communicate()
    peers = [f for n, f in figures.items() if "rate" in f and "kkcv" not in n]
    best = {key: max(peer[key] for peer in peers) for key in ("rate", "by_cpu")}
    return [
        {
            "": name,
            "recall@10": f.get("recall"),
            "p50 ms": f.get("p50"),
            "p99 ms": f.get("p99"),
            "queries/s, 64 at a time": f.get("rate"),
            "to the best peer": f["rate"] / best["rate"] if "rate" in f else None,
            "by CPU": f.get("by_cpu"),
            "by CPU, to the best peer": f["by_cpu"] / best["by_cpu"] if "rate" in f else None,
            "build s": f.get("build"),
            "MB": f.get("memory"),
            "note": f["failure"],
        }
        for name, f in figures.items()
    ]


def main() -> None:
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], Path(sys.argv[3]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--only", help="names, parted by commas")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(SYSTEMS)
    with tempfile.TemporaryDirectory(prefix="kkcv-peers-") as folder:
        from kkcv.images.folder import find_pictures

        say("growing the vectors")
        prepare(list(find_pictures(options.pictures)), options.count, Path(folder))
        rows = compare(names, Path(folder))
    title = f"search among {options.count:,} vectors of 1280, recall@10 of at least {RECALL}"
    packages = ("hnswlib", "usearch", "lancedb", "chromadb", "qdrant-client")
    report("search", title, rows, packages)


if __name__ == "__main__":
    main()
