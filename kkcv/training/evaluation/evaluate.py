"""The figures of a finished run again, or on other pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from kkcv import checkpoint as checkpoints
from kkcv.checkpoint import Checkpoint
from kkcv.disk import writing
from kkcv.embedding.runtimes.pytorch import device_named
from kkcv.errors import CheckpointError, DataError
from kkcv.images.folder import find_pictures
from kkcv.timing import Progress, no_progress
from kkcv.training.data.folders import part_folders, relative
from kkcv.training.data.labelled import LabelledData, Picture
from kkcv.training.data.split import read_split
from kkcv.training.run_folder import RunFolder, read_json

from .scoring import score
from .submission import write_submission

AUTO, ALL = "auto", "all"


def evaluate_classifier(
    run: str | Path,
    data: LabelledData,
    *,
    part: str = AUTO,
    tta: bool | None = None,
    device: str | None = None,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> dict[str, Any]:
    """Accuracy, precision, recall, f1, auc, log_loss, ece, pictures, intervals, and per class.

    ``part`` is train, val, test or all; auto takes test, else val, else everything. Pictures that
    the run knows have the part that it gave them. ``tta`` is as the run measured, unless said.

    Raises CheckpointError, DataError.
    """
    base, classes = load_classifier(run)
    if unknown := sorted(set(data.classes) - set(classes)):
        raise DataError(
            f"{data.root}: the class {unknown[0]!r} is not one of the run's: {', '.join(classes)}"
        )
    part, pictures = chosen(with_parts_of(run, data), part)
    scored = score(
        base.build(),
        base,
        classes,
        data.root,
        pictures,
        device=device_named(device),
        tta=measured_with_tta(base) if tta is None else tta,
        threads=threads,
        progress=progress,
    )
    if not scored.pictures:
        first = scored.unreadable[0]["message"]
        raise DataError(f"none of the {len(pictures)} pictures can be read; the first: {first}")
    return {
        "model": str(run),
        "network": base.network,
        "data": str(data.root),
        "part": part,
        **scored.figures(classes, base.temperature),
        "temperature": base.temperature,
        "unreadable": scored.unreadable,
    }


def predict_unlabelled(
    run: str | Path,
    folder: str | Path,
    out: str | Path,
    *,
    tta: bool | None = None,
    device: str | None = None,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> list[dict[str, str]]:
    """Write the classifier's predictions for unlabelled pictures, as Kaggle takes them.

    Args:
        folder: Kaggle's folder with ``test1`` in it, or any folder of pictures.
        out: the CSV to write (see ``write_submission``).
        tta: with mirror images; None is as the run measured.

    Returns the unreadable pictures: path, reason, message.

    Raises CheckpointError, DataError.
    """
    base, classes = load_classifier(run)
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"{root}: there is no folder at this path")
    paths = part_folders(root)[1] or tuple(relative(file, root) for file in find_pictures(root))
    if not paths:
        raise DataError(f"{root}: there are no pictures")
    scored = score(
        base.build(),
        base,
        classes,
        root,
        [Picture(path, "") for path in paths],
        device=device_named(device),
        tta=measured_with_tta(base) if tta is None else tta,
        threads=threads,
        progress=progress,
    )
    with writing(out, DataError):
        write_submission(Path(out), scored, classes, base.temperature)
    return scored.unreadable


def load_classifier(run: str | Path) -> tuple[Checkpoint, tuple[str, ...]]:
    """The checkpoint of a run, and its classes (CheckpointError)."""
    base = checkpoints.load(run)
    if base.classes is None:
        raise CheckpointError(
            f"{run} knows no classes of its own; give the folder of a training run"
        )
    return base, base.classes


def measured_with_tta(base: Checkpoint) -> bool:
    weights = base.weights_path()
    assert weights is not None
    return bool(read_json(weights.with_suffix(".json")).get("tta", False))


def with_parts_of(run: str | Path, data: LabelledData) -> LabelledData:
    """Where the data have no parts, those that the run gave to the pictures it knows."""
    split = RunFolder(run).split
    if any(picture.part for picture in data.pictures) or not split.is_file():
        return data
    known = {picture.path: picture for picture in read_split(split)}
    pictures = tuple(
        known[p.path] if p.path in known and known[p.path].label == p.label else p
        for p in data.pictures
    )
    return replace(data, pictures=pictures)


def chosen(data: LabelledData, part: str) -> tuple[str, tuple[Picture, ...]]:
    """The name of the part, and its pictures."""
    there = {picture.part for picture in data.pictures}
    if part == AUTO:
        part = next((each for each in ("test", "val") if each in there), ALL)
    if part == ALL:
        return ALL, data.pictures
    if part not in there:
        names = ", ".join(sorted(there - {""}) or [ALL])
        raise DataError(f"{data.root} has no part {part!r}; there are: {names}")
    return part, data.of(part)
