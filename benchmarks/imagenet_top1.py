"""How often networks name the class of ImageNet pictures rightly, with their public weights.

python -m benchmarks.imagenet_top1 FOLDER [NETWORK...]

The folder has the pictures and ``labels.csv`` with their ``filename`` and ``class_index``. Without
networks: those whose weights an installed package holds.
"""

import argparse
import csv

from benchmarks.command import existing, run
from kkcv.classify import Classifier
from kkcv.zoo.weights import Published, is_here, table

PACKAGED = [row.network for row in table() if row.source.startswith("package:") and is_here(row)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=existing)
    parser.add_argument("networks", nargs="*", default=PACKAGED)
    options = parser.parse_args()
    with (options.folder / "labels.csv").open(encoding="utf-8") as lines:
        classes = {row["filename"]: int(row["class_index"]) for row in csv.DictReader(lines)}
    print(f"| network | weights | top-1 of {len(classes)} | top-5 |\n|---|---|---|---|")
    for network in options.networks:
        classifier = Classifier.load(network)
        first, among = 0, 0
        for name, right in classes.items():
            guesses = [g.class_index for g in classifier.classify(options.folder / name, top=5)]
            first, among = first + (guesses[0] == right), among + (right in guesses)
        file = classifier.checkpoint.weights
        published = file if file is None or isinstance(file, Published) else file.published
        tag = published.tag if published else "own"
        print(
            f"| {network} | `imagenet:{tag}` | {first / len(classes):.1%} "
            f"| {among / len(classes):.1%} |"
        )


if __name__ == "__main__":
    run(main)
