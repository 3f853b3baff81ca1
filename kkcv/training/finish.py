"""The end of a run: measured, drawn, reported, and only then a checkpoint."""

import dataclasses
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from kkcv import checkpoint as checkpoints
from kkcv.errors import TrainingError
from kkcv.training.run_data import RunData
from kkcv.zoo.network import Network

from .data.labelled import LabelledData
from .evaluation.results import Results, measure_run
from .fit.callbacks import unwritable
from .fit.job import Job
from .fit.network import network_for
from .fit.stages import Fitted
from .recipe import Recipe, stages
from .run_folder import RunFolder


def finish(
    folder: RunFolder,
    job: Job,
    fitted: Fitted,
    data: LabelledData,
    run_data: RunData,
) -> dict[str, Any]:
    """Measure, draw, report; then the checkpoints, the best one last of all."""
    network = network_for(job.base, job.classes, job.recipe.seed)
    network.load_state_dict(fitted.progress.best_state, strict=False)
    try:
        results = measure_run(folder, job, network, fitted, data, run_data)
        for line in results.lines():
            job.reporter.say(line)
        kept = run_facts(job.recipe, results, run_data, fitted)
        save(fitted.network, folder.last, job, kept | {"weights_of": "last"})
        save(network, folder.best, job, kept | {"weights_of": "best"})
    except (OSError, SafetensorError) as error:
        raise TrainingError(unwritable(folder.path, error)) from None
    folder.finish()
    return results.to_dict()


def run_facts(recipe: Recipe, results: Results, data: RunData, fitted: Fitted) -> dict[str, Any]:
    """What a checkpoint remembers of its run."""
    stage, epoch = fitted.progress.best_at
    return {
        "temperature": results.temperature,
        "tta": recipe.tta,
        "metrics": results.headline(),
        "best": {
            "stage": stages(recipe)[stage].name,
            "epoch": epoch,
            "chosen_by": recipe.choose_by,
        },
        "data": {
            "fingerprint": data.fingerprint,
            "source": str(data.source.path),
            "changes": [dataclasses.asdict(each) for each in data.changes],
        },
        "recipe": recipe.to_dict(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("kkcv", "torch", "torchvision", "lightning")},
        },
    }


def save(network: Network, stem: Path, job: Job, facts: dict[str, Any]) -> None:
    checkpoints.save(
        network.cpu(),
        stem,
        preprocess=job.base.preprocess,
        classes=job.classes,
        trained_in=job.base.trained_in,
        facts=facts,
    )
