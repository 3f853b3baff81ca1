"""The end of a run: measured, drawn, reported, and only then a checkpoint."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from kkcv import checkpoint as checkpoints
from kkcv.checkpoint import Checkpoint
from kkcv.errors import TrainingError
from kkcv.training.run_data import RunData
from kkcv.zoo.network import Network

from .data.labelled import LabelledData
from .evaluation.results import Results, measure_run
from .fit.callbacks import unwritable
from .fit.job import Job
from .fit.network import network_for
from .fit.stages import Fitted
from .origin import Origin
from .plan import stages
from .run_folder import RunFolder


def finish(
    folder: RunFolder,
    job: Job,
    fitted: Fitted,
    data: LabelledData,
    run_data: RunData,
) -> dict[str, Any]:
    """Measure, draw, report; then the checkpoints, the best one last of all.

    Returns the evaluation. Raises TrainingError where something cannot be written.
    """
    network = network_for(fitted.best, job.classes, job.recipe.seed)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(fitted.progress.best_state, strict=False)
    trained = backbone_differs(before, network.state_dict())
    origin = Origin.of(job, run_data, fitted.progress.seconds)
    try:
        results = measure_run(folder, job, network, fitted, data, run_data, origin)
        for line in results.lines():
            job.reporter.say(line)
        facts = run_facts(job, results, run_data, fitted, origin, trained)
        save(fitted.network, folder.last, job, fitted.last, facts | {"weights_of": "last"})
        save(network, folder.best, job, fitted.best, facts | {"weights_of": "best"})
    except (OSError, SafetensorError) as error:
        raise TrainingError(unwritable(folder.path, error)) from None
    folder.finish()
    for line in next_steps(folder, job, trained):
        job.reporter.say(line)
    return results.to_dict()


def backbone_differs(before: dict[str, Tensor], after: dict[str, Tensor]) -> bool:
    """Whether anything but the head was trained."""
    return any(
        not torch.equal(value, after[name])
        for name, value in before.items()
        if not name.startswith(("head.", "auxiliary."))
    )


def run_facts(
    job: Job,
    results: Results,
    data: RunData,
    fitted: Fitted,
    origin: Origin,
    trained: bool,
) -> dict[str, Any]:
    """The facts about a run that its checkpoints keep.

    ``backbone`` says whose it is, by the sha256 of the weights, and whether it was trained: where
    not, the embeddings are those of before.
    """
    stage, epoch = fitted.progress.best_at
    return {
        "temperature": results.temperature,
        "tta": results.tta,
        "metrics": results.headline(),
        "best": {
            "stage": stages(job.recipe)[stage].name,
            "epoch": epoch,
            "chosen_by": job.recipe.choose_by,
        },
        "backbone": {"of": job.base.name, "weights": job.base.weights_id, "trained": trained},
        "data": {
            "fingerprint": data.fingerprint,
            "source": str(data.source.path),
            "changes": [dataclasses.asdict(each) for each in data.changes],
        },
        "recipe": job.recipe.to_dict(),
        **dataclasses.asdict(origin),
    }


def save(network: Network, stem: Path, job: Job, base: Checkpoint, facts: dict[str, Any]) -> None:
    checkpoints.save(
        network.cpu(),
        stem,
        preprocess=base.preprocess,
        classes=job.classes,
        trained_in=base.trained_in,
        facts=facts | {"whole": base.whole},
    )


def next_steps(folder: RunFolder, job: Job, trained: bool) -> list[str]:
    """Lines for a terminal: how to use the run."""
    run = shlex.quote(str(folder.path))
    steps = ["next:", f"  kkcv classify PICTURE --model {run}"]
    if trained:
        return [
            *steps,
            f"  kkcv index photos.kkcv PICTURES --model {run}    a gallery to search with it",
            f"  kkcv reindex GALLERY --model {run}    an old gallery adopts it",
        ]
    if any(stage.depth for stage in stages(job.recipe)):
        return [
            *steps,
            "  no epoch of fine-tuning was better than the head alone, which is kept: "
            f"a search with this run finds what {job.base.name} finds",
        ]
    return [
        *steps,
        f"  only the head was trained: a search with this run finds what {job.base.name} finds; "
        "to change that, train with --unfreeze 1 or --auto",
    ]
