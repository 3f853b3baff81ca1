"""How long commands take from nothing: interpreter, imports, network, answer.

python -m benchmarks.cold_start FOLDER [--passes 5]

Makes a small gallery of the folder's first pictures, then times processes that search it. The best
and the median of the passes; ``CPU s`` is processor time, which other work disturbs less.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from kkcv.images.folder import find_pictures

from .report import report

PICTURES = 100


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds of wall and processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--passes", type=int, default=5)
    options = parser.parse_args()
    paths = [str(path) for path in list(find_pictures([options.folder]))[:PICTURES]]
    with tempfile.TemporaryDirectory() as folder:
        gallery = str(Path(folder) / "g")
        kkcv = [sys.executable, "-m", "kkcv"]
        subprocess.run([*kkcv, "index", gallery, *paths, "--json"], check=True, capture_output=True)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "kkcv --help": [*kkcv, "--help"],
            "kkcv stats": [*kkcv, "stats", gallery],
            "kkcv search": [*kkcv, "search", gallery, paths[0]],
            "import torch": [sys.executable, "-c", "import torch"],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(options.passes):
            for name, command in commands.items():
                times[name].append(timed(command))
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
    main()
