"""One HTML file that holds a whole run: it needs nothing beside it and loads nothing.

It speaks English and Chinese: that of the browser, and the other at a click.
"""

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from kkcv.disk import write_file
from kkcv.training.data.labelled import PARTS
from kkcv.training.data.report import described
from kkcv.training.fit.progress import Progress
from kkcv.training.origin import Origin
from kkcv.training.plan import settings_used, stages
from kkcv.training.recipe import Recipe
from kkcv.training.run_data import RunData

MOST_LISTED = 100  # entries of a list; data.json has all
FIGURES = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "ece")


def write_report(
    path: Path,
    recipe: Recipe,
    data: RunData,
    progress: Progress,
    results: dict[str, Any],
    origin: Origin,
    pictures: dict[str, Path],
) -> None:
    """Figures with their intervals, the inspection of the data, plots, sheets, every setting."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    template = Path(__file__).with_name("report.html")
    html = environment.from_string(template.read_text(encoding="utf-8")).render(
        figures=FIGURES,
        results=results,
        quoted=results["parts"][results["part"]],
        classes=data.classes,
        origin=origin,
        stages=stages(recipe),
        data=data.report,
        changes=[str(each) for each in data.changes],
        described=described,
        most=MOST_LISTED,
        parts=[p for p in PARTS if any(p in of for of in data.report.classes.values())],
        fingerprint=data.fingerprint,
        source=data.source.path,
        epochs=progress.rows,
        best=progress.best_at,
        model=recipe.model,
        settings=settings_used(recipe),
        pictures={title: data_url(file) for title, file in pictures.items()},
    )
    write_file(path, html.encode(errors="backslashreplace"))


def data_url(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
