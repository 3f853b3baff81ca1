"""Every setting of a training run, in one value that is saved with what it made."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kkcv.errors import TrainingError

OPTIMIZERS = ("adamw", "sgd")
AUGMENTS = ("auto", "none", "light", "randaugment")
FIGURES = ("loss", "accuracy", "both")
PRECISIONS = ("32", "bf16", "16")


def setting(default: Any, help: str, *, machine: bool = False, **rule: Any) -> Any:
    """A field: its help for the command line, and what it may be (``least``, ``most``, ``of``).

    ``machine`` settings say where and how fast a run goes; a resumed run may have others.
    """
    return field(default=default, metadata={"help": help, "machine": machine, **rule})


@dataclass(frozen=True)
class Recipe:
    """The settings of a run: network, data split, stages, optimizer, augmentation, devices.

    Raises TrainingError for a value that cannot be.
    """

    model: str = setting(
        "efficientnet_lite0", "A network of the zoo, or the folder of an earlier run."
    )
    weights: str = setting(
        "imagenet",
        "imagenet, none (from scratch), or a weights file; PATH:raw takes the raw weights of a file"
        " with their average.",
    )
    size: int = setting(0, "Side of the input in pixels; 0: as the weights want it.", least=0)
    whole: bool = setting(
        False,
        "See each picture twice, its center and, squashed, the whole of it: both are trained on, "
        "and their mean classifies.",
    )
    seed: int = setting(0, "Seed of the split, the new head, and every random choice.", least=0)

    auto: bool = setting(
        False,
        "Choose the stages, their epochs and sizes so that they fit into --minutes; the result is "
        "never worse on the validation part than the head alone.",
    )
    minutes: float = setting(10.0, "Time for --auto, from start to report.", above=0)

    val: float = setting(
        0.15, "Share kept for validation, where the data have no val part.", least=0, below=1
    )
    test: float = setting(
        0.15, "Share kept for testing, where the data have no parts.", least=0, below=1
    )

    head_epochs: int = setting(20, "Epochs of the first stage: the head alone.", least=0)
    head_lr: float = setting(3e-3, "Learning rate of the first stage.", least=0)
    unfreeze: str = setting(
        "auto",
        "Stages after the first: how many stages of the network to train, from the last one on, "
        "as all or 1 or 1,3,all; 0 trains the head again. none: no more. "
        "auto: none, or all from scratch.",
    )
    fine_size: int = setting(
        0, "Side of the input after the first stage, in pixels; 0: as in the first.", least=0
    )
    fine_whole: bool = setting(False, "The same as --whole, but only after the first stage.")
    epochs: int = setting(5, "Epochs of each stage after the first.", least=1)
    lr: float = setting(
        0.0,
        "Learning rate of the head in later stages; 0: 1e-4 (sgd 1e-2), from scratch ten "
        "times that.",
        least=0,
    )
    lr_decay: float = setting(
        0.7,
        "Learning rate of each stage of the network, relative to that of the stage after it.",
        least=0,
        most=1,
    )
    batch_norm: str = setting(
        "auto",
        "Statistics of unfrozen batch norms. auto: frozen; from scratch, train.",
        of=("auto", "train", "frozen"),
    )

    optimizer: str = setting("adamw", "The optimizer.", of=OPTIMIZERS)
    momentum: float = setting(0.9, "SGD momentum.", least=0, below=1)
    weight_decay: float = setting(0.01, "Weight decay, except for norms and biases.", least=0)
    warmup: float = setting(
        0.1,
        "Share of a stage's steps in which the learning rate rises; then it falls as a cosine.",
        least=0,
        below=1,
    )
    batch_size: int = setting(
        32, "Pictures in a step, over all devices and accumulated parts.", least=1
    )
    accumulate: int = setting(1, "Parts that a step is computed in, to save memory.", least=1)
    clip: float = setting(
        0.0, "Longest gradient; longer ones are scaled down. 0: no limit.", least=0
    )

    label_smoothing: float = setting(
        0.0, "Probability that is spread evenly over all classes.", least=0, below=1
    )
    class_weights: str = setting(
        "none", "balanced: rare classes count as much as common ones.", of=("none", "balanced")
    )
    auxiliary_weight: float = setting(
        -1.0,
        "Weight of the losses of auxiliary heads; -1: as the network's authors have it.",
        least=-1,
    )
    augment: str = setting(
        "auto",
        "Augmentation of training pictures. auto: light, but none while the head trains alone. "
        "With a head alone, light and randaugment add four augmented crops of each training "
        "picture.",
        of=AUGMENTS,
    )
    min_crop: float = setting(
        0.35, "Smallest crop, as a share of the picture's area.", above=0, most=1
    )
    randaugment_ops: int = setting(2, "RandAugment operations per picture.", least=1)
    randaugment_magnitude: int = setting(
        9, "Strength of RandAugment, from 0 to 30.", least=0, most=30
    )
    mixup: float = setting(0.0, "Alpha of mixup; 0: none.", least=0)
    cutmix: float = setting(
        0.0, "Alpha of cutmix; 0: none. With mixup, one of them at random.", least=0
    )
    ema: float = setting(0.0, "Decay of the averaged weights, as 0.999; 0: none.", least=0, below=1)

    choose_by: str = setting(
        "loss",
        "Figure of the validation part that chooses the best epoch; both: neither may get worse.",
        of=FIGURES,
    )
    patience: int = setting(
        0, "Epochs without a better one after which a stage ends; 0: no early stopping.", least=0
    )
    find_lr: bool = setting(False, "Search the learning rate of each stage before it begins.")
    tta: bool = setting(
        False, "Test-time augmentation: measure the mean over a picture and its mirror image."
    )

    device: str = setting("auto", "cpu, cuda, mps.", machine=True)
    devices: int = setting(1, "Processes on this machine, one a GPU.", machine=True, least=1)
    precision: str = setting("32", "bf16 or 16: mixed precision.", machine=True, of=PRECISIONS)
    workers: int = setting(
        0, "Processes that decode and augment; 0: threads of this one.", machine=True, least=0
    )
    threads: int = setting(0, "Threads that decode; 0: one a core.", machine=True, least=0)
    save_minutes: float = setting(
        2.0,
        "Minutes between saves: at most so much is lost when a run is killed.",
        machine=True,
        least=0,
    )

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            check(each.name, getattr(self, each.name), each.metadata)
        unfrozen(self.unfreeze)
        if self.batch_size % self.accumulate:
            raise TrainingError(
                f"batch_size {self.batch_size} cannot be computed in {self.accumulate} equal parts"
            )

    def flags(self) -> list[str]:
        """The options of ``kkcv train`` that are not as by default."""
        words: list[str] = []
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if value != each.default:
                name = f"--{each.name.replace('_', '-')}"
                words += [name] if value is True else [name, str(value)]
        return words

    @property
    def freezes_norms(self) -> bool:
        """Whether batch norms keep the statistics of the weights, even where they learn.

        Those of a batch of a few classes are far from those of the pictures that the weights have
        seen.
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


def unfrozen(text: str) -> tuple[int, ...] | None:
    """``"0,3,all"`` → (0, 3, -1); nothing for ``"none"``, None for ``"auto"``."""
    if text in ("none", "auto"):
        return () if text == "none" else None
    words = [word.strip() for word in text.split(",")]
    if not all(word == "all" or word.isdecimal() for word in words):
        raise TrainingError(f"unfreeze is none, auto, all, or numbers as 1,3,all; got {text!r}")
    return tuple(-1 if word == "all" else int(word) for word in words)
