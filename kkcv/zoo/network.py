"""The contract of the zoo: stages → neck → head.

    images (N, C, H, W) ─stages▶ map (N, c, h, w) ─neck▶ embedding (N, D) ─head▶ scores (N, classes)

SqueezeNet classifies every position of the map: its head takes the map, not the embedding.

The stages carry the names of the rows of the paper's table, so that a reader of the paper finds
each of them, and the tables and drawings of kkcv can be measured from the network itself.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from kkcv.errors import InputShapeError
from kkcv.notebook import table

from .recorded import Paper, recorded

__all__ = ["Family", "Network", "Paper", "Spec", "TrainingScores"]


@dataclass(frozen=True)
class Family:
    """The networks of one paper: ``name`` is the file's name, ``title`` what people say.

    Weights that were trained elsewhere ("tensorflow", "timm") may fit the network's shapes and yet
    want another activation or epsilon: ``trained_in`` has the options that the builder then gets.
    ``example`` is the network that stands for the family in its diagram.
    """

    name: str
    title: str
    paper: Paper
    idea: str  # at most two sentences
    trained_in: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    example: str = field(kw_only=True)


@dataclass(frozen=True)
class Spec:
    """One network of the zoo, before it is built.

    ``build(num_classes, in_channels, **options)`` makes it. ``input_size`` is (C, H, W) as
    published, in pixels; other sizes from ``min_size`` up work (below it an unpadded convolution or
    a pool would have nothing left), unless ``fixed_size``.
    ``auxiliary`` says that it can have auxiliary heads: ``build`` takes an option of that name.
    """

    name: str
    family: Family
    build: Callable[..., "Network"]
    embedding_dim: int
    input_size: tuple[int, int, int] = (3, 224, 224)
    min_size: int = 32
    fixed_size: bool = False
    num_classes: int = 1000
    aliases: tuple[str, ...] = ()
    auxiliary: bool = False


class Network(nn.Module):
    """Stages in the paper's order, then a neck that makes the embedding, then the classifier."""

    spec: Spec | None = None  # set by zoo.create
    classifies_map = False  # whether the head takes the map, so that no scores follow from vectors

    def __init__(self, stages: Mapping[str, nn.Module], neck: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.stages = nn.Sequential(OrderedDict(stages))
        self.neck = neck
        self.head = head

    def features(self, images: Tensor) -> Tensor:
        """The last feature map: (N, C, H, W) → (N, c, h, w)."""
        self.check(images)
        return self.stages(images)

    def embedding(self, images: Tensor) -> Tensor:
        """The vector under the classifier: (N, C, H, W) → (N, embedding_dim)."""
        return self.neck(self.features(images))

    def forward(self, images: Tensor) -> Tensor:
        """Unnormalized class scores: (N, C, H, W) → (N, num_classes)."""
        return self.scores(self.features(images))

    def scores(self, features: Tensor) -> Tensor:
        """The scores from the last feature map: (N, c, h, w) → (N, num_classes)."""
        return self.head(features if self.classifies_map else self.neck(features))

    def reset_classifier(self, num_classes: int) -> None:
        """Put a new classifier in place of the head, as the paper initializes it.

        With 0 there is no classifier: the scores are the embedding.

        Raises ValueError for a negative number.
        """
        assert self.spec is not None
        if num_classes < 0:
            raise ValueError(f"num_classes is 0 or more, got {num_classes}")
        if num_classes == 0:
            self.head, self.classifies_map = nn.Identity(), False
        else:
            fresh = self.spec.build(num_classes, self.spec.input_size[0])
            like = next(self.parameters())
            self.head = fresh.head.to(like.device, like.dtype).train(self.training)
            self.classifies_map = fresh.classifies_map
        self.spec = replace(self.spec, num_classes=num_classes)

    def _repr_html_(self) -> str:
        """The table of its stages, for notebooks."""
        if self.spec is None:
            return f"<pre>{escape(repr(self))}</pre>"
        modules = dict(self.stages.named_children()) | {"neck": self.neck}
        rows: list[tuple[Any, ...]] = [
            (stage.name, " × ".join(map(str, stage.shape)), parameters(modules[stage.name]))
            for stage in recorded(self.spec.name).stages
            if stage.name in modules
        ]
        rows += [("head", self.spec.num_classes or "", parameters(self.head))]
        rows += [("all", "", parameters(self))]
        title = f"{self.spec.name}: {self.spec.family.title}, {self.spec.family.paper.year}"
        return table(["stage", "output", "parameters"], rows, title)

    def check(self, images: Tensor) -> None:
        """Refuse a batch that the network cannot take (InputShapeError)."""
        if self.spec is None:
            return
        channels, height, width = self.spec.input_size
        self.check_type(images)
        if images.ndim != 4 or images.shape[1] != channels:
            raise InputShapeError(
                f"{self.spec.name} takes a batch of shape (N, {channels}, H, W), "
                f"got {tuple(images.shape)}"
            )
        if self.spec.fixed_size and tuple(images.shape[2:]) != (height, width):
            raise InputShapeError(
                f"{self.spec.name} takes pictures of exactly {height}x{width} pixels, "
                f"got {images.shape[2]}x{images.shape[3]}"
            )
        if min(images.shape[2:]) < self.spec.min_size:
            raise InputShapeError(
                f"{self.spec.name} takes pictures of at least "
                f"{self.spec.min_size}x{self.spec.min_size} pixels, "
                f"got {images.shape[2]}x{images.shape[3]}"
            )

    def check_type(self, images: Tensor) -> None:
        """Refuse numbers of another type than the weights', unless autocast converts them."""
        assert self.spec is not None
        wanted, got = next(self.parameters()).dtype, images.dtype
        if got == wanted:
            return
        if got.is_floating_point and torch.is_autocast_enabled(images.device.type):
            return
        name = str(wanted).removeprefix("torch.")
        raise InputShapeError(
            f"{self.spec.name} takes normalized pictures of {name}, got "
            f"{str(got).removeprefix('torch.')}; images.to(torch.{name}) changes the type, and "
            "pixels of 0 to 255 must be normalized too"
        )


def parameters(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


class TrainingScores(NamedTuple):
    """The scores of a network with auxiliary heads in training mode, each (N, num_classes)."""

    scores: Tensor
    auxiliary: tuple[Tensor, ...]  # in the order of the paper, nearest to the input first
