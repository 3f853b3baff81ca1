"""The stages that a recipe asks for, and the settings that they depend on."""

from dataclasses import dataclass, replace
from typing import Any

from kkcv.errors import TrainingError

from .recipe import Recipe, unfrozen

# Learning rate of the head in later stages, per optimizer: from public weights, and from scratch.
RATES = {"adamw": (1e-4, 1e-3), "sgd": (1e-2, 1e-1)}
CROPS = 4  # augmented crops of a picture that a head alone trains on; 8 bring little more


@dataclass(frozen=True)
class Stage:
    """A stretch of training with the same layers unfrozen.

    ``depth`` is how many stages of the network train besides the head; -1 means all of them.
    ``mixes`` is for mixup and CutMix, which need pictures, ``sees_map`` for a head that takes
    feature maps, which are too large to be kept.
    """

    name: str
    depth: int
    size: int  # side of the input in pixels; 0: that of the checkpoint
    epochs: int
    lr: float
    lr_decay: float
    augment: str
    whole: bool = False  # also sees the whole picture, squashed
    mixes: bool = False
    sees_map: bool = False

    @property
    def on_embeddings(self) -> bool:
        """Whether the backbone's answers never change, so that they are computed once."""
        return self.depth == 0 and not self.mixes and not self.sees_map

    @property
    def crops(self) -> int:
        """How many augmented crops of each picture are embedded too."""
        return CROPS if self.on_embeddings and self.augment != "none" else 0


def stages(recipe: Recipe) -> tuple[Stage, ...]:
    """The stages of a run, in order.

    Raises TrainingError when nothing would be trained.
    """
    scratch = recipe.weights == "none"
    depths = unfrozen(recipe.unfreeze)
    if depths is None:
        depths = (-1,) if scratch else ()
    rate = recipe.lr or RATES[recipe.optimizer][scratch]
    decay = 1.0 if scratch else recipe.lr_decay  # from scratch, every layer has all to learn
    alone = "none" if recipe.augment == "auto" else recipe.augment
    together = "light" if recipe.augment == "auto" else recipe.augment
    size, whole = recipe.fine_size or recipe.size, recipe.whole or recipe.fine_whole
    epochs, head_rate = recipe.head_epochs, recipe.head_lr
    plan = []
    if epochs and not (scratch and depths):
        plan.append(Stage("head", 0, recipe.size, epochs, head_rate, 1.0, alone, recipe.whole))
    for depth in depths:
        if depth == 0:
            plan.append(Stage("head again", 0, size, epochs or 1, head_rate, 1.0, alone, whole))
        else:
            name = "all" if depth < 0 else f"last {depth}"
            plan.append(Stage(name, depth, size, recipe.epochs, rate, decay, together, whole))
    if not plan:
        raise TrainingError("nothing would be trained; raise head_epochs, or unfreeze stages")
    mixes = bool(recipe.mixup or recipe.cutmix)
    return tuple(replace(stage, mixes=mixes) for stage in plan)


def settings_used(recipe: Recipe) -> dict[str, Any]:
    """The settings that a run depended on: without those that no stage of it looked at."""
    plan = stages(recipe)
    on_pictures = [stage for stage in plan if not stage.on_embeddings]
    later = [stage for stage in plan if stage.depth != 0]
    augments = {stage.augment for stage in plan}
    unused = {
        "minutes": not recipe.auto,
        "fine_size": not unfrozen(recipe.unfreeze),
        "fine_whole": not unfrozen(recipe.unfreeze),
        "head_epochs": all(stage.depth for stage in plan),
        "head_lr": all(stage.depth for stage in plan),
        "epochs": not later,
        "lr": not later,
        "lr_decay": not later,
        "batch_norm": not later,
        "momentum": recipe.optimizer != "sgd",
        "augment": not on_pictures and augments == {"none"},
        "min_crop": not augments - {"none"},
        "randaugment_ops": "randaugment" not in augments,
        "randaugment_magnitude": "randaugment" not in augments,
        "mixup": not on_pictures,
        "cutmix": not on_pictures,
        "workers": not on_pictures,
        "auxiliary_weight": recipe.weights != "none",
    }
    used = {name: value for name, value in recipe.to_dict().items() if not unused.get(name)}
    if "lr" in used:
        used["lr"] = later[0].lr
    if used.get("augment") == "auto":
        used["augment"] = "light"
    return used
