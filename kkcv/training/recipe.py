"""Every setting of a training run, in one value that is saved with what it made."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kkcv.errors import TrainingError

OPTIMIZERS = ("adamw", "sgd")
AUGMENTS = ("auto", "none", "light", "randaugment")
FIGURES = ("loss", "accuracy")
PRECISIONS = ("32", "bf16", "16")

# The rate of the head's group, per optimizer: from public weights, and from scratch.
RATES = {"adamw": (1e-4, 1e-3), "sgd": (1e-2, 1e-1)}


def setting(default: Any, help: str, *, machine: bool = False, **rule: Any) -> Any:
    """A field: its help for the command line, and what it may be (``least``, ``most``, ``of``).

    ``machine`` settings say where and how fast a run goes; a resumed run may have others.
    """
    return field(default=default, metadata={"help": help, "machine": machine, **rule})


@dataclass(frozen=True)
class Recipe:
    """What is trained, on which part of the data, in which stages, and how.

    Raises TrainingError for a value that cannot be.
    """

    model: str = setting(
        "efficientnet_lite0", "A network of the zoo, or the folder of an earlier run."
    )
    weights: str = setting("imagenet", "imagenet, none (from scratch), or a weights file.")
    size: int = setting(0, "Side of the input in pixels; 0: as the weights want it.", least=0)
    seed: int = setting(0, "Decides the split, the new head, and every random choice.", least=0)

    val: float = setting(
        0.15, "Share kept to choose by, where the data have no val.", least=0, below=1
    )
    test: float = setting(
        0.15, "Share kept to measure on, where the data have no parts.", least=0, below=1
    )

    head_epochs: int = setting(20, "Epochs of the first stage: the head alone.", least=0)
    head_lr: float = setting(3e-3, "Its learning rate.", least=0)
    unfreeze: str = setting(
        "auto",
        "Stages after the first: how many stages of the network to train, from the last one on, "
        "as all or 1 or 1,3,all. none: no more. auto: none, or all from scratch.",
    )
    epochs: int = setting(5, "Epochs of each stage after the first.", least=1)
    lr: float = setting(
        0.0,
        "Their learning rate, of the head; 0: 1e-4 (sgd 1e-2), from scratch ten times that.",
        least=0,
    )
    lr_decay: float = setting(
        0.7, "Each stage of the network has this times the next one's rate.", least=0, most=1
    )
    batch_norm: str = setting(
        "auto",
        "Statistics of unfrozen batch norms. auto: frozen, but train from scratch.",
        of=("auto", "train", "frozen"),
    )

    optimizer: str = setting("adamw", "Takes the steps.", of=OPTIMIZERS)
    momentum: float = setting(0.9, "Of SGD.", least=0, below=1)
    weight_decay: float = setting(0.01, "Not of norms and biases.", least=0)
    warmup: float = setting(
        0.1, "Share of a stage's steps over which the rate rises; then a cosine.", least=0, below=1
    )
    batch_size: int = setting(
        32, "Pictures a step, over all devices and accumulated parts.", least=1
    )
    accumulate: int = setting(1, "Parts that a step is computed in, for want of memory.", least=1)
    clip: float = setting(0.0, "Longest gradient; 0: any.", least=0)

    label_smoothing: float = setting(
        0.0, "Probability given to all classes alike.", least=0, below=1
    )
    class_weights: str = setting(
        "none", "balanced: rare classes count as much as common ones.", of=("none", "balanced")
    )
    auxiliary_weight: float = setting(
        -1.0, "Of the losses of auxiliary heads; -1: as the network's authors have it.", least=-1
    )
    augment: str = setting(
        "auto",
        "Changes of training pictures. auto: light, but none while the head trains alone.",
        of=AUGMENTS,
    )
    min_crop: float = setting(
        0.35, "Smallest crop, as a share of the picture's area.", above=0, most=1
    )
    randaugment_ops: int = setting(2, "Operations a picture.", least=1)
    randaugment_magnitude: int = setting(9, "From 0 to 30.", least=0, most=30)
    mixup: float = setting(0.0, "Alpha of mixup; 0: none.", least=0)
    cutmix: float = setting(
        0.0, "Alpha of cutmix; 0: none. With mixup, one of them at random.", least=0
    )
    ema: float = setting(0.0, "Decay of the averaged weights, as 0.999; 0: none.", least=0, below=1)

    choose_by: str = setting(
        "loss", "Which figure of the validation part chooses the best epoch.", of=FIGURES
    )
    patience: int = setting(
        0, "Epochs without a better one after which a stage ends; 0: never.", least=0
    )
    find_lr: bool = setting(False, "Look for the learning rate of each stage before it begins.")
    tta: bool = setting(False, "Measure with the mean over a picture and its mirror image.")

    device: str = setting("auto", "cpu, cuda, mps.", machine=True)
    devices: int = setting(1, "Processes on this machine, one a GPU.", machine=True, least=1)
    precision: str = setting("32", "bf16 or 16: mixed precision.", machine=True, of=PRECISIONS)
    workers: int = setting(
        0, "Processes that decode and augment; 0: threads of this one.", machine=True, least=0
    )
    threads: int = setting(0, "Threads that decode; 0: one a core.", machine=True, least=0)
    save_minutes: float = setting(
        2.0, "A run that is killed loses no more than this.", machine=True, least=0
    )

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            check(each.name, getattr(self, each.name), each.metadata)
        unfrozen(self.unfreeze)
        if self.batch_size % self.accumulate:
            raise TrainingError(
                f"batch_size {self.batch_size} cannot be computed in {self.accumulate} equal parts"
            )

    @property
    def freezes_norms(self) -> bool:
        """Whether batch norms keep the statistics of the weights, even where they learn.

        Those of a batch of a few classes are far from those of the pictures that the weights have
        seen: a network that is right on 48 of 48 cats and dogs is right on 35 with them.
        """
        return self.batch_norm == "frozen" or (self.batch_norm == "auto" and self.weights != "none")

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """The recipe that ``to_dict`` wrote; a key that is unknown is an error."""
        known = [each.name for each in dataclasses.fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise TrainingError(f"no setting {unknown[0]!r}; there are: {', '.join(known)}")
        return cls(**values)

    def differences(self, other: "Recipe") -> list[str]:
        """One phrase for each setting that decides the result and is not the same."""
        return [
            f"{each.name} {getattr(self, each.name)!r} here, {getattr(other, each.name)!r} there"
            for each in dataclasses.fields(self)
            if not each.metadata["machine"]
            and getattr(self, each.name) != getattr(other, each.name)
        ]

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=False) + "\n"


RULES: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "least": ("{} or more", lambda value, limit: value >= limit),
    "most": ("at most {}", lambda value, limit: value <= limit),
    "above": ("above {}", lambda value, limit: value > limit),
    "below": ("below {}", lambda value, limit: value < limit),
}


def check(name: str, value: Any, rule: Mapping[str, Any]) -> None:
    """Refuse a value that breaks its field's rule."""
    if "of" in rule and value not in rule["of"]:
        raise TrainingError(f"{name} is one of {', '.join(rule['of'])}, got {value!r}")
    for key, (text, holds) in RULES.items():
        if key in rule and not (isinstance(value, int | float) and holds(value, rule[key])):
            raise TrainingError(f"{name} must be {text.format(rule[key])}, got {value!r}")


@dataclass(frozen=True)
class Stage:
    """A stretch of training with the same layers unfrozen.

    ``depth`` is how many stages of the network train besides the head; -1 means all of them.
    ``sees_map`` is for a head that takes feature maps, which are too large to be kept.
    """

    name: str
    depth: int
    epochs: int
    lr: float
    lr_decay: float
    augment: str
    sees_map: bool = False

    @property
    def on_embeddings(self) -> bool:
        """Whether the backbone's answers never change, so that they are computed once."""
        return self.depth == 0 and self.augment == "none" and not self.sees_map


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
    plan = []
    if recipe.head_epochs and not (scratch and depths):
        augment = "none" if recipe.augment == "auto" else recipe.augment
        plan.append(Stage("head", 0, recipe.head_epochs, recipe.head_lr, 1.0, augment))
    augment = "light" if recipe.augment == "auto" else recipe.augment
    for depth in depths:
        name = "all" if depth < 0 else f"last {depth}"
        plan.append(Stage(name, depth, recipe.epochs, rate, decay, augment))
    if not plan:
        raise TrainingError("nothing would be trained; raise head_epochs, or unfreeze stages")
    return tuple(plan)


def unfrozen(text: str) -> tuple[int, ...] | None:
    """``"1,3,all"`` → (1, 3, -1); nothing for ``"none"``, None for ``"auto"``."""
    if text in ("none", "auto"):
        return () if text == "none" else None
    words = [word.strip() for word in text.split(",")]
    if not all(word == "all" or (word.isdecimal() and int(word) > 0) for word in words):
        raise TrainingError(f"unfreeze is none, auto, all, or numbers as 1,3,all; got {text!r}")
    return tuple(-1 if word == "all" else int(word) for word in words)
