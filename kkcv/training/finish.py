"""The end of a run: measured, drawn, reported, and only then a checkpoint."""

import dataclasses
import shlex
from dataclasses import dataclass, replace
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

from .data.changes import Changes
from .data.labelled import LabelledData
from .evaluation.results import Results, measure_run
from .fit.callbacks import unwritable
from .fit.job import Job
from .fit.network import network_for
from .fit.stages import Fitted
from .origin import Origin
from .plan import stages
from .recipe import Recipe
from .run_folder import RunFolder
from .start import starting_point


@dataclass(frozen=True)
class BestEpoch:
    """Where the best weights are from; ``epoch`` counts from 0 in its stage."""

    stage: str
    epoch: int
    chosen_by: str


@dataclass(frozen=True)
class Backbone:
    """Where it is from, by the sha256 of its weights; not trained, it embeds as before."""

    of: str
    weights: str
    trained: bool


@dataclass(frozen=True)
class TrainedOn:
    """The pictures of a run, and how they changed while it was interrupted."""

    fingerprint: str
    source: str
    changes: tuple[Changes, ...]


@dataclass(frozen=True)
class RunFacts:
    """The facts about a run that its checkpoints keep."""

    temperature: float
    tta: bool
    metrics: dict[str, str | float | None]
    best: BestEpoch
    backbone: Backbone
    data: TrainedOn
    recipe: Recipe
    origin: Origin

    def to_dict(self) -> dict[str, Any]:
        """For JSON, where the fields of ``origin`` stand beside the others."""
        facts = dataclasses.asdict(self)
        origin = facts.pop("origin")
        return facts | origin


def finish(
    folder: RunFolder, job: Job, fitted: Fitted, data: LabelledData, run_data: RunData
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
        save(fitted.network, folder.last, job, fitted.last, facts, "last")
        save(network, folder.best, job, fitted.best, facts, "best")
    except (OSError, SafetensorError) as error:
        raise TrainingError(unwritable(folder.path, error)) from None
    folder.finish()
    for line in next_steps(folder, job, fitted.best, trained):
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
    job: Job, results: Results, data: RunData, fitted: Fitted, origin: Origin, trained: bool
) -> RunFacts:
    stage, epoch = fitted.progress.best_at
    return RunFacts(
        results.temperature,
        results.tta,
        results.headline(),
        BestEpoch(stages(job.recipe)[stage].name, epoch, job.recipe.choose_by),
        Backbone(job.base.name, job.base.weights_id, trained),
        TrainedOn(data.fingerprint, str(data.source.path), data.changes),
        job.recipe,
        origin,
    )


def save(
    network: Network, stem: Path, job: Job, base: Checkpoint, facts: RunFacts, weights_of: str
) -> None:
    checkpoints.save(
        network.cpu(),
        stem,
        preprocess=base.preprocess,
        classes=job.classes,
        trained_in=base.trained_in,
        facts={**facts.to_dict(), "weights_of": weights_of, "whole": base.whole},
    )


def next_steps(folder: RunFolder, job: Job, best: Checkpoint, trained: bool) -> list[str]:
    """Lines for a terminal: how to use the run."""
    run, side = shlex.quote(str(folder.path)), best.preprocess.size[0]
    steps = ["next:", f"  kkcv classify PICTURE --model {run}"]
    larger = best.preprocess != starting_point(replace(job.recipe, size=0)).preprocess
    if trained or larger:
        steps += [
            f"  kkcv index photos.kkcv PICTURES --model {run}    a gallery to search with it",
            f"  kkcv reindex GALLERY --model {run}    an old gallery adopts it",
        ]
    if trained:
        return steps
    if larger:
        return [
            *steps,
            f"  only the head was trained: a search with this run is one with {job.base.name} at "
            f"{side} pixels",
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
