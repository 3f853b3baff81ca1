"""A training run from labelled pictures to a finished folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from kkcv.checkpoint import Checkpoint
from kkcv.disk import write_file
from kkcv.embedding.runtimes.pytorch import device_named
from kkcv.errors import DataError, TrainingError

from .data.inspection import inspect_pictures, lines, report
from .data.labelled import LabelledData
from .data.source import Source, read_data
from .data.split import fingerprint, split, write_split
from .finish import finish
from .fit.callbacks import unwritable
from .fit.freezing import freeze
from .fit.job import Files, Job, Labelled
from .fit.network import network_for, starting_point
from .fit.processes import Processes, join
from .fit.stages import fit
from .recipe import Recipe, stages
from .run_folder import RunFolder, read_json, write_json


def silent(*_: Any) -> None:
    pass


@dataclass(frozen=True)
class Voice:
    """How a run is heard: ``say(line)``, and ``show(what, done, total)`` for what takes time."""

    say: Callable[[str], None] = silent
    show: Callable[[str, int, int], None] = silent


QUIET = Voice()


def train(source: Source, recipe: Recipe, out: str | Path, voice: Voice = QUIET) -> dict[str, Any]:
    """Inspect the data, split them, train, measure; what comes out lies in the folder ``out``.

    Returns the evaluation, as in evaluation.json.

    Raises DataError, TrainingError, and what ``checkpoint.resolve`` raises.
    """
    device = device_for(recipe)
    processes = join(device)
    folder, base = RunFolder(out), starting_point(recipe)
    stages(recipe)
    if processes.first:
        folder.begin()
        try:
            prepare(source, recipe, base, folder, voice)
        except BaseException:
            folder.forget()
            raise
    processes.wait()
    return go_on(folder, recipe, base, processes, device, voice)


def resume(
    source: Source, out: str | Path, changes: Mapping[str, Any], voice: Voice = QUIET
) -> dict[str, Any]:
    """Go on with a run that was stopped, from its last resume point, to the same end.

    ``changes`` are settings to use instead of the run's own: where it runs and how fast, no more.

    Raises TrainingError, DataError when a picture is gone.
    """
    folder = RunFolder(out)
    folder.check_resumable()
    own = folder.read_recipe()
    recipe = Recipe.from_dict(own.to_dict() | dict(changes))
    if different := recipe.differences(own):
        raise TrainingError(f"{out} was begun otherwise: {'; '.join(different)} in the run")
    device = device_for(recipe)
    processes = join(device)
    return go_on(folder, recipe, starting_point(recipe), processes, device, voice, source)


def device_for(recipe: Recipe) -> torch.device:
    """Raises RequestError for one that is not there, TrainingError for a precision it lacks."""
    device = device_named(None if recipe.device == "auto" else recipe.device)
    if recipe.precision == "16" and device.type != "cuda":
        raise TrainingError(
            f"precision 16 needs a GPU (cuda), not {device.type}; bf16 works there too"
        )
    return device


def prepare(
    source: Source, recipe: Recipe, base: Checkpoint, folder: RunFolder, voice: Voice
) -> None:
    """Look at every picture, decide who is in which part, and write both down."""
    data = source.read()
    network = network_for(base, data.classes, recipe.seed)
    for stage in stages(recipe):  # what cannot be is said before the long part
        freeze(network, stage.depth)
    inspection = inspect_pictures(
        data,
        threads=recipe.threads or None,
        progress=lambda done, total: voice.show("looking at the data", done, total),
    )
    parts = split(inspection, val=recipe.val, test=recipe.test, seed=recipe.seed)
    findings = report(inspection, parts)
    for line in lines(findings):
        voice.say(line)
    pictures = tuple(
        each.picture._replace(part=part)
        for each, part in zip(inspection.looked, parts, strict=True)
    )
    facts = {
        "source": str(source.path),
        "root": str(data.root),
        "fingerprint": fingerprint(inspection, parts),
        "classes": list(data.classes),
        "unlabelled": list(data.unlabelled),
        "report": findings,
    }
    try:
        write_json(folder.data, facts)
        write_file(folder.recipe, recipe.to_json())
        write_split(folder.split, LabelledData(data.root, pictures))
    except OSError as error:
        raise TrainingError(f"{folder.path} cannot be written: {error.strerror}") from None


def go_on(
    folder: RunFolder,
    recipe: Recipe,
    base: Checkpoint,
    processes: Processes,
    device: torch.device,
    voice: Voice,
    source: Source | None = None,
) -> dict[str, Any]:
    """From what is written down to the finished folder."""
    facts = read_json(folder.data)
    root = Path(facts["root"]) if source is None else moved(source, Path(facts["root"]))
    data = read_data(folder.split, root=root)
    classes = tuple(facts["classes"])
    if gone := [p.path for p in data.pictures if not (root / p.path).is_file()]:
        raise DataError(f"{root}: {len(gone)} pictures of the run are gone, the first: {gone[0]}")
    if not processes.first:
        voice = QUIET
    job = job_for(folder, recipe, base, data, classes, processes, device, voice)
    try:
        fitted = fit(job)
    except OSError as error:
        raise TrainingError(unwritable(folder.path, error)) from None
    results: dict[str, Any] = {}
    if processes.first:
        results = finish(folder, job, fitted, data, facts, voice.say)
    processes.wait()
    return results


def job_for(
    folder: RunFolder,
    recipe: Recipe,
    base: Checkpoint,
    data: LabelledData,
    classes: tuple[str, ...],
    processes: Processes,
    device: torch.device,
    voice: Voice,
) -> Job:
    return Job(
        base,
        recipe,
        classes,
        train=labelled(data, "train", classes),
        val=labelled(data, "val", classes),
        files=Files(folder.resume, folder.table, folder.logs),
        device=device,
        processes=processes,
        show=voice.show,
    )


def moved(source: Source, root: Path) -> Path:
    """Where the pictures are now: the data may lie elsewhere when a run is resumed."""
    if source.path.is_file():
        return source.root or source.path.parent
    return source.path if source.path.is_dir() else root


def labelled(data: LabelledData, part: str, classes: tuple[str, ...]) -> Labelled:
    pictures = data.of(part)
    index = {label: i for i, label in enumerate(classes)}
    return Labelled(
        [data.root / picture.path for picture in pictures],
        [index[picture.label] for picture in pictures],
    )
