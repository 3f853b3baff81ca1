"""The size of an installation: ``ENVIRONMENT/bin/python benchmarks/install_size.py``.

The ten largest packages by the files on the disk, compiled Python included. It needs nothing but
Python, for it runs in the environment that it measures.
"""

import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path


def megabytes(found: Distribution) -> float:
    """The room that a package takes; of its files those that are there."""
    files = [Path(str(found.locate_file(file))) for file in found.files or ()]
    return sum(file.stat().st_size for file in files if file.is_file()) / 2**20


def main() -> None:
    sizes = {found.metadata["Name"]: megabytes(found) for found in distributions()}
    whole = sum(f.lstat().st_size for f in Path(sys.prefix).rglob("*") if f.is_file()) / 2**20
    print(f"{whole:,.0f} MB in {len(sizes)} packages; the largest:")
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:10]:
        print(f"{size:7.1f} MB  {name}")


if __name__ == "__main__":
    main()
