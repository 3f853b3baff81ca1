"""The plots of docs/speed.md from what the benchmarks left in ``bench-out/``.

python -m benchmarks.plots
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from .report import OUT

IMAGES = Path("docs/images")
OURS, THEIRS = "#2a6f97", "#c2c9d1"


class Plot(NamedTuple):
    """Bars of one column of one file. What is ours has one of ``ours`` in its name."""

    file: str
    names: tuple[str, ...]  # columns
    value: str
    title: str
    ours: tuple[str, ...]
    log: bool = False


PLOTS = (
    Plot("rate", ("runtime", "precision"), "by CPU", "Embedding, pictures/s", ("openvino",)),
    Plot(
        "import-efficientnet_lite0", ("",), "by CPU",
        "Folder to gallery, EfficientNet-Lite0, pictures/s", ("kkcv",),
    ),
    Plot(
        "import-resnet50", ("",), "by CPU", "Folder to gallery, ResNet50, pictures/s", ("kkcv",)
    ),
    Plot("serving", ("",), "by CPU", "HTTP search, requests/s", ("HTTP",)),
    Plot(
        "search", ("",), "queries/s, k=10",
        "Search, queries from outside, recall@10 of at least 0.99, queries/s", ("kkcv",), log=True,
    ),
)  # fmt: skip


def draw(plot: Plot, rows: list[dict[str, Any]]) -> None:
    rows = [row for row in reversed(rows) if row[plot.value]]
    names = [" ".join(str(row[name]) for name in plot.names) for row in rows]
    values = [row[plot.value] for row in rows]
    colors = [OURS if any(each in name for each in plot.ours) else THEIRS for name in names]
    figure, axes = plt.subplots(figsize=(7, 0.6 + 0.32 * len(rows)), layout="constrained")
    bars = axes.barh(names, values, color=colors, log=plot.log)
    axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3, fontsize=9)
    axes.margins(x=0.14)
    by_cpu = ", by processor time" if plot.value == "by CPU" else ""
    axes.set_title(plot.title + by_cpu, loc="left", fontsize=11)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(bottom=False, labelbottom=False, left=False, which="both")
    file = IMAGES / f"speed-{plot.file}.svg"
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
    print(file)


def main() -> None:
    plt.rcParams["svg.hashsalt"] = "kkcv"
    plt.rcParams["svg.fonttype"] = "none"  # text stays text, and the file small
    for plot in PLOTS:
        file = OUT / f"{plot.file}.json"
        if file.exists():
            draw(plot, json.loads(file.read_text(encoding="utf-8"))["rows"])


if __name__ == "__main__":
    main()
