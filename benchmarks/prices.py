"""Milliseconds and memory of each preset here, as rows of docs/embedders.md and its Chinese twin.

    python -m benchmarks.prices [--networks dinov3-small,siglip2-base]

As ``kkcv models --measure``, which remembers what is found: one picture alone, with random weights
of the same shape. Run it on a machine at rest; the large networks need 8 GB of memory.
"""

import argparse

from kkcv.embedding.price import measure
from kkcv.presets.table import rows

from .command import run
from .report import report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", default=",".join(row["name"] for row in rows()))
    found = []
    for name in parser.parse_args().networks.split(","):
        price = measure(name)
        found.append(
            {
                "`--model`": f"`{name}`",
                "ms": f"{price.milliseconds:.0f}",
                "MB": price.megabytes,
                "computed by": f"{price.runtime}, {price.precision}",
            }
        )
        print(*found[-1].values(), flush=True)
    report("prices", "one picture alone: docs/embedders.md", found, ("timm", "open_clip_torch"))


if __name__ == "__main__":
    run(main)
