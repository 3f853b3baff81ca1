"""A training run from labelled pictures to a finished folder."""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from kkcv.checkpoint import Checkpoint
from kkcv.disk import write_file, writing
from kkcv.embedding.runtimes.pytorch import device_named
from kkcv.errors import DataError, TrainingError

from .auto import choose
from .data.changes import Changes, changes_since
from .data.inspection import Inspection, inspect_pictures
from .data.labelled import PARTS, LabelledData, Picture
from .data.report import report
from .data.source import Source
from .data.split import Split, fingerprint, read_split, split, write_split
from .estimate import Costs, Counts, announcement
from .finish import finish
from .fit.callbacks import restart_stage, unwritable
from .fit.freezing import freeze
from .fit.job import Files, Job, Labelled
from .fit.network import network_for
from .fit.processes import Processes, join
from .fit.stages import fit
from .plan import stages
from .recipe import Recipe
from .reporter import QUIET, Reporter
from .run_data import RunData
from .run_folder import RunFolder
from .start import starting_point

TRAINING_SHARE = 0.85  # of the minutes of --auto; the rest is for measuring and the report


def train(
    source: Source, recipe: Recipe, out: str | Path, reporter: Reporter = QUIET
) -> dict[str, Any]:
    """Inspect the data, split them, train, measure; the folder ``out`` gets the results.

    Returns the evaluation, as in evaluation.json.

    Raises DataError, TrainingError, and what ``checkpoint.resolve`` raises.
    """
    began = time.monotonic()
    device = device_for(recipe)
    processes = join(device)
    folder, base = RunFolder(out), starting_point(recipe)
    stages(recipe)
    if processes.first:
        folder.begin()
        try:
            prepare(source, recipe, base, folder, device, reporter, began)
        except BaseException:
            folder.forget()  # also after Ctrl-C: there is nothing in it to resume
            raise
    processes.wait()
    recipe = folder.read_recipe()  # with the settings that --auto has chosen
    return train_prepared(folder, recipe, base, processes, device, reporter, began)


def resume(
    source: Source,
    out: str | Path,
    settings: Mapping[str, Any],
    reporter: Reporter = QUIET,
    *,
    accept_changes: bool = False,
) -> dict[str, Any]:
    """Continue a run that was stopped from its last resume point, to the same end.

    Args:
        source: the data of the run, which may lie elsewhere now; where nothing lies at its path,
            the place that the run knows counts.
        settings: where it runs and how fast; others than these must be as the run has them.
        accept_changes: train on the pictures as they are now, if they have changed since the run
            began. The stage that was interrupted starts again, from the best weights so far.

    Raises:
        TrainingError: nothing to resume, other settings, or changed pictures.
        DataError: accepted changes that leave nothing to train or validate on.
    """
    began, folder = time.monotonic(), RunFolder(out)
    folder.check_resumable()
    own = folder.read_recipe()
    recipe = Recipe.from_dict(own.to_dict() | dict(settings))
    if different := recipe.differences(own):
        raise TrainingError(f"{out} was begun otherwise: {'; '.join(different)} in the run")
    device = device_for(recipe)
    processes = join(device)
    base = starting_point(recipe)
    if processes.first:
        check_data(source, recipe, folder, reporter, accept_changes)
    processes.wait()
    return train_prepared(folder, recipe, base, processes, device, reporter, began)


def device_for(recipe: Recipe) -> torch.device:
    """Raises RequestError for one that is not there, TrainingError for a precision it lacks."""
    device = device_named(None if recipe.device == "auto" else recipe.device)
    if recipe.precision == "16" and device.type != "cuda":
        raise TrainingError(
            f"precision 16 needs a GPU (cuda), not {device.type}; bf16 works there too"
        )
    return device


def prepare(
    source: Source,
    recipe: Recipe,
    base: Checkpoint,
    folder: RunFolder,
    device: torch.device,
    reporter: Reporter,
    began: float,
) -> None:
    """Inspect every picture, decide its part and the stages, and write all of it down.

    Raises DataError, TrainingError.
    """
    data = source.read()
    data.check_trainable()
    network = network_for(base, data.classes, recipe.seed)
    for stage in stages(recipe):  # an impossible stage is refused before the long part
        freeze(network, stage.depth)
    inspection = inspect(data, recipe, reporter)
    parts = split(inspection, val=recipe.val, test=recipe.test, seed=recipe.seed)
    counts = Counts(*(parts.parts.count(part) for part in PARTS))
    paths = [data.root / picture.path for picture in inspection.pictures]
    threads = recipe.threads or torch.get_num_threads()
    costs = Costs(network, base, paths, device, threads)
    if recipe.auto:
        recipe = choose(recipe, counts, costs, time.monotonic() - began)
    write_down(source, recipe, folder, data, inspection, parts, reporter)
    for line in announcement(stages(recipe), recipe.tta, counts, costs):
        reporter.say(line)


def check_data(
    source: Source, recipe: Recipe, folder: RunFolder, reporter: Reporter, accept_changes: bool
) -> None:
    """Compare the pictures with those that the run began with; take over accepted changes.

    Raises DataError, TrainingError.
    """
    before, known = RunData.read(folder.data), read_split(folder.split)
    source = source if source.path.exists() else before.source
    data = source.read()
    changes = changes_since(
        known,
        [each.path for each in before.report.unreadable],
        data,
        threads=recipe.threads or None,
        progress=lambda done, total: reporter.show("comparing the data", done, total),
    )
    if not changes:
        replace(before, source=source, root=data.root).write(folder.data)
        return
    if not accept_changes:
        raise TrainingError(
            f"{source.path} has changed since the run in {folder.path} began: {changes}; put the "
            "pictures back, or train on them as they are now with --accept-changes"
        )
    if strange := sorted(set(data.classes) ^ set(before.classes)):
        raise DataError(
            f"{source.path} has not the classes that the run began with (now different: "
            f"{', '.join(strange)}); begin a new run"
        )
    reporter.say(f"accepted: {changes}")
    parts = {picture.path: picture.part for picture in known}
    pictures = tuple(p._replace(part=parts.get(p.path, p.part or "train")) for p in data.pictures)
    data = replace(data, pictures=pictures)
    inspection = inspect(data, recipe, reporter)
    kept = split(inspection, val=recipe.val, test=recipe.test, seed=recipe.seed)
    accepted = (*before.changes, changes)
    write_down(source, recipe, folder, data, inspection, kept, reporter, accepted)
    restart_stage(folder.resume)


def inspect(data: LabelledData, recipe: Recipe, reporter: Reporter) -> Inspection:
    return inspect_pictures(
        data,
        threads=recipe.threads or None,
        progress=lambda done, total: reporter.show("looking at the data", done, total),
    )


def write_down(
    source: Source,
    recipe: Recipe,
    folder: RunFolder,
    data: LabelledData,
    inspection: Inspection,
    parts: Split,
    reporter: Reporter,
    changes: tuple[Changes, ...] = (),
) -> None:
    """Tell what was found; write split.csv, data.json and recipe.json (TrainingError)."""
    findings = report(data, inspection, parts)
    for line in findings.lines():
        reporter.say(line)
    pictures = [
        picture._replace(part=part)
        for picture, part in zip(inspection.pictures, parts.parts, strict=True)
    ]
    run_data = RunData(
        source=source,
        root=data.root,
        fingerprint=fingerprint(pictures),
        classes=data.classes,
        unlabelled=data.unlabelled,
        report=findings,
        changes=changes,
    )
    with writing(folder.path, TrainingError):
        run_data.write(folder.data)
        write_file(folder.recipe, recipe.to_json())
        write_split(folder.split, pictures)


def train_prepared(
    folder: RunFolder,
    recipe: Recipe,
    base: Checkpoint,
    processes: Processes,
    device: torch.device,
    reporter: Reporter,
    began: float,
) -> dict[str, Any]:
    """Train on the data that are written down, from the resume point if there is one."""
    data, pictures = RunData.read(folder.data), read_split(folder.split)
    if not processes.first:
        reporter = QUIET
    job = job_for(folder, recipe, base, data, pictures, processes, device, reporter)
    job = replace(job, began=began)
    try:
        fitted = fit(job)
    except OSError as error:
        raise TrainingError(unwritable(folder.path, error)) from None
    results: dict[str, Any] = {}
    if processes.first:
        results = finish(folder, job, fitted, LabelledData(data.root, pictures), data)
    processes.wait()
    return results


def job_for(
    folder: RunFolder,
    recipe: Recipe,
    base: Checkpoint,
    data: RunData,
    pictures: tuple[Picture, ...],
    processes: Processes,
    device: torch.device,
    reporter: Reporter,
) -> Job:
    return Job(
        base,
        recipe,
        data.classes,
        train=labelled(pictures, "train", data),
        val=labelled(pictures, "val", data),
        files=Files(folder.resume, folder.table, folder.logs),
        device=device,
        processes=processes,
        reporter=reporter,
        began=time.monotonic(),
        deadline=TRAINING_SHARE * 60 * recipe.minutes if recipe.auto else None,
    )


def labelled(pictures: tuple[Picture, ...], part: str, data: RunData) -> Labelled:
    """The files of a part, and the indices of their classes."""
    index = {label: i for i, label in enumerate(data.classes)}
    chosen = [picture for picture in pictures if picture.part == part]
    return Labelled(
        [data.root / picture.path for picture in chosen],
        [index[picture.label] for picture in chosen],
    )
