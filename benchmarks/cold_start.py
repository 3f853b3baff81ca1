"""How long commands take from nothing: interpreter, imports, network, answer.

python -m benchmarks.cold_start FOLDER [--passes 5]

Makes a small gallery of the folder's first pictures, then times processes that search it, and the
first index of a machine: with an empty cache, where nothing is exported or chosen yet. The best and
the median of the passes; ``CPU s`` is processor time, which other work disturbs less.
"""

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from kkcv.client import Client
from kkcv.extras import is_installed

from .command import existing, pictures_in, run
from .report import report

PICTURES = 100


def timed(command: list[str], environment: dict[str, str] | None = None) -> tuple[float, float]:
    """Seconds of wall and processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def answered(gallery: str, picture: str, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds of a service until it has answered its first search; processor time until its end."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "kkcv", "serve", gallery, "--port", "0", "--quiet"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**environment, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdout is not None
        address = re.search(r"http://\S+:\d+", process.stdout.readline())
        assert address is not None
        Client(address[0]).search(picture)
        wall = time.perf_counter() - start
        process.terminate()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=existing)
    parser.add_argument("--passes", type=int, default=5)
    options = parser.parse_args()
    paths = [str(path) for path in pictures_in([options.folder])[:PICTURES]]
    with tempfile.TemporaryDirectory() as folder:
        gallery = str(Path(folder) / "g")
        kkcv = [sys.executable, "-m", "kkcv"]
        subprocess.run([*kkcv, "index", gallery, *paths, "--json"], check=True, capture_output=True)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "kkcv --help": [*kkcv, "--help"],
            "kkcv stats": [*kkcv, "stats", gallery],
            "kkcv search": [*kkcv, "search", gallery, paths[0]],
        }
        if is_installed("openvino"):  # which takes longer to load; the core install is without it
            core = ["env", "KKCV_RUNTIME=onnxruntime", *kkcv]
            commands["kkcv search, ONNX Runtime"] = [*core, "search", gallery, paths[0]]
        if is_installed("torch"):
            commands["import torch"] = [sys.executable, "-c", "import torch"]
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        first = f"kkcv index, {len(paths)} pictures, empty cache"
        served = "kkcv serve to its first answer, empty cache"
        homeless = "kkcv serve to its first answer, no cache and no home"
        times |= {first: [], served: [], homeless: []}
        for turn in range(options.passes):
            for name, command in commands.items():
                times[name].append(timed(command))
            fresh = Path(folder) / f"fresh-{turn}"
            command = [*kkcv, "index", str(fresh / "g"), *paths, "--json"]
            times[first].append(timed(command, {**os.environ, "KKCV_CACHE": str(fresh / "cache")}))
            empty = {**os.environ, "KKCV_CACHE": str(fresh / "empty")}
            times[served].append(answered(gallery, paths[0], empty))
            nowhere = {k: v for k, v in os.environ.items() if not k.startswith(("KKCV", "XDG"))}
            times[homeless].append(answered(gallery, paths[0], {**nowhere, "HOME": "/nowhere"}))
    rows: list[dict[str, Any]] = []
    for name, passes in times.items():
        walls, cpus = zip(*passes, strict=True)
        rows.append(
            {
                "": name,
                "best s": min(walls),
                "median s": statistics.median(walls),
                "CPU s": min(cpus),
            }
        )
    report("cold", f"cold start, a gallery of {len(paths)} pictures", rows)


if __name__ == "__main__":
    run(main)
