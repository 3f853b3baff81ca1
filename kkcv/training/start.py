"""The beginning of a run, and what can be refused before anything heavy is imported."""

import dataclasses
from pathlib import Path

from kkcv.checkpoint import Checkpoint, resolve

from .data.source import Source
from .plan import stages
from .recipe import Recipe
from .run_folder import RunFolder


def check(source: Source, recipe: Recipe, out: str | Path, *, resumes: bool) -> None:
    """Raise what ``train`` or ``resume`` would for wrong names and settings; write nothing."""
    folder = RunFolder(out)
    if resumes:
        folder.check_resumable()
    else:
        folder.check_new()
        source.check()
    starting_point(recipe)
    stages(recipe)


def starting_point(recipe: Recipe) -> Checkpoint:
    """The network, weights and preprocessing that the recipe names.

    Raises UnknownNetwork, WeightsError, CheckpointError, InputShapeError for a size it cannot take.
    """
    return sized(resolve(recipe.model, recipe.weights), recipe.size)


def sized(base: Checkpoint, size: int) -> Checkpoint:
    """The checkpoint with another input size in pixels, which 0 leaves as it is.

    The share of the picture that is cropped away stays.
    """
    if not size:
        return base
    spec = base.preprocess
    resize = spec.resize and round(size / spec.crop_ratio)
    spec = dataclasses.replace(spec, size=(size, size), resize=resize)
    return dataclasses.replace(base, preprocess=spec)
