"""The results of a run: measured on each part, drawn, and written into its folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kkcv.embedding.whole import mean_of_views
from kkcv.tables import write_table
from kkcv.training.data.labelled import LabelledData, Picture
from kkcv.training.fit.job import Job
from kkcv.training.fit.progress import Figures
from kkcv.training.fit.stages import Fitted
from kkcv.training.origin import Origin
from kkcv.training.run_data import RunData
from kkcv.training.run_folder import RunFolder, write_json
from kkcv.zoo.network import Network

from .contact_sheets import likeliest_mislabelled, most_confidently_wrong, write_sheet
from .plots import draw
from .report import write_report
from .scoring import Scored, cross_entropy, fit_temperature, score
from .submission import write_submission

HEADLINE = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "ece")


@dataclass(frozen=True)
class Results:
    """Figures of each measured part; ``part`` is the one to quote."""

    part: str
    parts: dict[str, dict[str, Any]]
    temperature: float
    tta: bool
    head: Figures | None  # of the head alone on val, where more was trained

    def headline(self) -> dict[str, str | float | None]:
        figures = self.parts[self.part]
        return {"part": self.part, "pictures": figures["pictures"]} | {
            k: figures[k] for k in HEADLINE
        }

    def to_dict(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "temperature": self.temperature,
            "tta": self.tta,
            "parts": self.parts,
        }

    def lines(self) -> list[str]:
        """For a terminal."""
        out = []
        for part, figures in self.parts.items():
            accuracy, f1, auc, log_loss = (
                described(name, figures) for name in ("accuracy", "f1", "auc", "log_loss")
            )
            out.append(
                f"{part} ({figures['pictures']} pictures): "
                f"accuracy {accuracy}, f1 {f1}, auc {auc}, log_loss {log_loss}"
            )
        if self.head is not None:
            out.append(
                f"the head alone had accuracy {self.head.accuracy:.4f} on val, "
                f"loss {self.head.loss:.4f} before calibration"
            )
        if self.part == "val":
            out.append(
                "val also chose the epoch and the temperature: expect a little less elsewhere"
            )
        return out


def described(name: str, figures: dict[str, Any]) -> str:
    """``0.9917 (0.9792–1.0000)``."""
    value, interval = figures[name], figures["intervals"][name]
    if value is None:
        return "not known"
    spread = f" ({interval[0]:.4f}–{interval[1]:.4f})" if interval else ""
    return f"{value:.4f}{spread}"


def measure_run(
    folder: RunFolder,
    job: Job,
    network: Network,
    fitted: Fitted,
    data: LabelledData,
    run_data: RunData,
    origin: Origin,
) -> Results:
    """Score every part, and write evaluation, predictions, plots, sheets, report and submission."""
    classes, recipe = job.classes, job.recipe

    def scored(pictures: tuple[Picture, ...], what: str, tta: bool) -> Scored:
        return score(
            network,
            fitted.best,
            classes,
            data.root,
            pictures,
            device=job.device,
            tta=tta,
            threads=recipe.threads or None,
            progress=lambda done, total: job.reporter.show(what, done, total),
            say=job.reporter.say,
        )

    tta = recipe.tta
    val = scored(data.of("val"), "measuring val", tta)
    if recipe.auto and tta:  # mirror images only where they help
        plain = scored(data.of("val"), "measuring val, without mirror images", False)
        if worse(val, plain):
            val, tta = plain, False
    measured = {"val": val}
    if test := data.of("test"):
        measured["test"] = scored(test, "measuring test", tta)
    temperature = fit_temperature(val.scores, val.labels)
    results = Results(
        "test" if "test" in measured else "val",
        {part: each.figures(classes, temperature) for part, each in measured.items()},
        temperature,
        tta,
        head_figures(fitted),
    )
    training = trained_on(network, fitted, data, job) or scored(
        data.of("train"), "looking for wrong labels", False
    )
    write_json(folder.evaluation, results.to_dict())
    write_predictions(folder.predictions, measured | {"train": training}, classes, temperature)
    pictures = draw_all(folder, fitted, results, measured, training, data.root, classes)
    if run_data.unlabelled:
        unlabelled = tuple(Picture(path, "") for path in run_data.unlabelled)
        predicted = scored(unlabelled, "predicting", tta)
        write_submission(folder.submission, predicted, classes, temperature)
    write_report(
        folder.report, recipe, run_data, fitted.progress, results.to_dict(), origin, pictures
    )
    return results


def worse(a: Scored, b: Scored) -> bool:
    """Whether ``a`` has the lower accuracy or the higher log loss."""

    def figures(scored: Scored) -> tuple[float, float]:
        targets = np.eye(scored.scores.shape[1])[scored.labels]
        right = scored.scores.argmax(axis=1) == scored.labels
        return -float(right.mean()), cross_entropy(scored.scores, targets)

    return any(x > y for x, y in zip(figures(a), figures(b), strict=True))


def head_figures(fitted: Fitted) -> Figures | None:
    """The best figures of the first stage on the validation part, if that was the head alone."""
    rows = [row for row in fitted.progress.rows if row["stage"] == "head"]
    if not rows or fitted.progress.best_at[0] == 0:
        return None
    best = min(rows, key=lambda row: float(row["val_loss"]))
    return Figures(best["val_loss"], best["val_accuracy"])


def trained_on(network: Network, fitted: Fitted, data: LabelledData, job: Job) -> Scored | None:
    """Scores of the training part from embeddings that are there already."""
    if fitted.embeddings is None:
        return None
    with torch.inference_mode():
        scores = network.head(fitted.embeddings.to(job.device)).float().cpu()
    views = scores.unflatten(0, (len(job.train.labels), -1))[:, : len(fitted.best.views)].numpy()
    return Scored(list(data.of("train")), np.array(job.train.labels), mean_of_views(views), [])


def draw_all(
    folder: RunFolder,
    fitted: Fitted,
    results: Results,
    measured: dict[str, Scored],
    training: Scored,
    root: Path,
    classes: tuple[str, ...],
) -> dict[str, Path]:
    """Plots of the part to quote, and the two sheets; those that would be empty are left out."""
    quoted = measured[results.part]
    probabilities = quoted.probabilities(results.temperature)
    matrix = np.array(results.parts[results.part]["confusion"])
    rows = fitted.progress.rows
    pictures = draw(folder.plots, rows, quoted.labels, probabilities, matrix, classes)
    sheets: tuple[tuple[str, Scored, Any], ...] = (
        ("Most confidently wrong", quoted, most_confidently_wrong),
        ("Likeliest mislabelled in train", training, likeliest_mislabelled),
    )
    for title, scored, choose in sheets:
        probabilities = scored.probabilities(results.temperature)
        which = choose(probabilities, scored.labels)
        if len(which):
            path = folder.plots / f"{title.lower().replace(' ', '-')}.png"
            write_sheet(path, root, scored, probabilities, which, classes)
            pictures[title] = path
    return pictures


def write_predictions(
    path: Path, measured: dict[str, Scored], classes: tuple[str, ...], temperature: float
) -> None:
    """A row for each labelled picture: part, label, what it was taken for, all probabilities."""

    def rows() -> Iterator[list[str]]:
        yield ["path", "part", "label", "predicted", *classes]
        for part, scored in measured.items():
            probabilities = scored.probabilities(temperature)
            for picture, row in zip(scored.pictures, probabilities, strict=True):
                numbers = (f"{p:.6f}" for p in row)
                yield [picture.path, part, picture.label, classes[row.argmax()], *numbers]

    write_table(path, rows())
