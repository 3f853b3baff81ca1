"""Plots of a run: curves, confusion matrix, ROC and precision-recall, reliability."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import font_manager, rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kkcv.disk import atomic_write
from kkcv.training.fit.progress import Row

from .metrics import BINS, calibration_bins

DPI = 110  # 1,100 pixels for a plot 10 inches wide
INK, BLUE, ORANGE, GREEN, GREY = "#18181b", "#2563eb", "#ea580c", "#16a34a", "#a1a1aa"
MOST_NAMED = 12  # classes that get a curve or a number of their own
# Matplotlib brings a Latin font. For Chinese names the first of these that the system has.
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Hiragino Sans GB",
    "Microsoft YaHei",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
)


def draw(
    folder: Path,
    rows: Sequence[Row],
    labels: np.ndarray,
    probabilities: np.ndarray,
    matrix: np.ndarray,
    classes: tuple[str, ...],
) -> dict[str, Path]:
    """Every plot as a PNG in the folder; by title, in the order to look at them."""
    folder.mkdir(exist_ok=True)
    names = printable(classes)
    with rc_context(style()):  # type: ignore[arg-type]
        figures = {
            "Loss and accuracy": curves(rows),
            "Confusion matrix": confusion(matrix, names),
            "ROC and precision-recall": roc_and_precision_recall(labels, probabilities, names),
            "Reliability": reliability(labels, probabilities),
        }
        paths = {}
        for title, figure in figures.items():
            path = folder / f"{title.lower().replace(' ', '-')}.png"
            with atomic_write(path) as part:
                figure.savefig(part, format="png", dpi=DPI, metadata={"Software": None})
            paths[title] = path
    return paths


def style() -> dict[str, Any]:
    return {
        "font.family": [*chinese_fonts(), "DejaVu Sans"][::-1],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": GREY,
        "axes.grid": True,
        "grid.color": "#e4e4e7",
        "text.color": INK,
        "axes.labelcolor": INK,
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
    }


@cache
def chinese_fonts() -> tuple[str, ...]:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return tuple(name for name in CHINESE if name in installed)[:1]


@cache
def glyphs() -> frozenset[int]:
    """The characters that the fonts of the plots can write."""
    families = ("DejaVu Sans", *chinese_fonts())
    files = [font_manager.findfont(family) for family in families]
    return frozenset(c for file in files for c in font_manager.get_font(file).get_charmap())


def printable(classes: tuple[str, ...]) -> list[str]:
    """The names as Matplotlib writes them; their numbers where no font can.

    A dollar sign would begin a formula, and a legend leaves out what begins with an underscore.
    """
    names = []
    for i, name in enumerate(classes):
        known = all(ord(c) in glyphs() for c in name)
        text = name.replace("$", r"\$") if known else f"class {i}"
        names.append(f" {text}" if text.startswith("_") else text)
    return names


def curves(rows: Sequence[Row]) -> Figure:
    """Loss and accuracy of both parts over the epochs of all stages, which are told apart."""
    figure = Figure(figsize=(10, 4))
    epochs = np.arange(1, len(rows) + 1)
    panels = {
        "loss": ([row["train_loss"] for row in rows], [row["val_loss"] for row in rows]),
        "accuracy": (
            [row["train_accuracy"] for row in rows],
            [row["val_accuracy"] for row in rows],
        ),
    }
    for axis, (what, (train, val)) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        axis.plot(epochs, train, "o-", ms=3, color=GREY, label="train")
        axis.plot(epochs, val, "o-", ms=3, color=BLUE, label="val")
        for i in range(1, len(rows)):
            if rows[i]["stage"] != rows[i - 1]["stage"] or rows[i]["epoch"] == 0:
                axis.axvline(i + 0.5, color=ORANGE, lw=1, ls="--")
        axis.set(xlabel="epoch", ylabel=what)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
    return figure


def confusion(matrix: np.ndarray, names: list[str]) -> Figure:
    """Rows are what pictures show, columns what they were taken for; shades, shares of the row."""
    k = len(names)
    side = min(12.0, 2.5 + 0.7 * k)  # inches: room for a name a class, up to a page
    figure = Figure(figsize=(side + 0.5, side))
    axis = figure.subplots()
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axis.imshow(share, cmap="Blues", vmin=0, vmax=1)
    axis.grid(False)
    axis.set(xlabel="taken for", ylabel="is")
    if k <= 3 * MOST_NAMED:
        axis.set_xticks(
            range(k), names, rotation=45 if k > 3 else 0, ha="right" if k > 3 else "center"
        )
        axis.set_yticks(range(k), names)
    if k <= MOST_NAMED:
        for i, j in np.ndindex(k, k):
            # to be read on the dark half of the colors
            color = "white" if share[i, j] > 0.5 else INK
            axis.text(j, i, f"{matrix[i, j]}", ha="center", va="center", color=color)
    return figure


def roc_and_precision_recall(
    labels: np.ndarray, probabilities: np.ndarray, names: list[str]
) -> Figure:
    """Curves of each class against the rest, as far as there is room; of two classes the second."""
    figure = Figure(figsize=(10, 4.6))
    roc, precision_recall = figure.subplots(1, 2)
    shown = [1] if len(names) == 2 else range(min(len(names), MOST_NAMED))
    for k in shown:
        positive = labels == k
        if not positive.any() or positive.all():
            continue
        false, true, precision = rates(probabilities[:, k], positive)
        auc = float(np.trapezoid(true, false))
        ap = float((np.diff(true) * precision[1:]).sum())
        roc.plot(false, true, label=f"{names[k]}, AUC {auc:.4f}")
        precision_recall.plot(true[1:], precision[1:], label=f"{names[k]}, AP {ap:.4f}")
    roc.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--")
    roc.set(xlabel="false positive rate", ylabel="true positive rate")
    precision_recall.set(xlabel="recall", ylabel="precision", ylim=(0, 1.03))
    for axis, place in ((roc, "lower right"), (precision_recall, "lower left")):
        axis.legend(*axis.get_legend_handles_labels(), loc=place)  # none where one class occurs
    return figure


def rates(scores: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False and true positive rate and precision at every threshold, from the strictest on."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)  # of each group of equal scores
    true = np.append(0, np.cumsum(positive[order])[last])
    taken = np.append(0, np.flatnonzero(last) + 1)
    false = taken - true
    return false / max(1, false[-1]), true / max(1, true[-1]), true / np.maximum(taken, 1)


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> Figure:
    """How often predictions of some confidence are right, and how many there are of them."""
    confidence, which = calibration_bins(probabilities)
    right = probabilities.argmax(axis=1) == labels
    counts = np.bincount(which, minlength=BINS)
    seen = counts > 0
    mean = np.bincount(which, confidence, BINS)[seen] / counts[seen]
    accuracy = np.bincount(which, right, BINS)[seen] / counts[seen]
    figure = Figure(figsize=(5.5, 5.5))
    above, below = figure.subplots(2, 1, height_ratios=[3, 1], sharex=True)
    above.plot([0, 1], [0, 1], color=GREY, lw=1, ls="--")
    above.plot(mean, accuracy, "o-", color=BLUE)
    above.set(ylabel="share that is right", ylim=(0, 1.03))
    below.bar((np.arange(BINS) + 0.5) / BINS, counts, width=0.9 / BINS, color=GREEN)
    below.set(xlabel="confidence", ylabel="pictures", xlim=(0, 1.01))
    return figure
