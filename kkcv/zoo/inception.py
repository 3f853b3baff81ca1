"""The pieces that the Inception papers share: branches, chains of convolutions, auxiliary heads."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from kkcv.errors import InputShapeError

from .layers import GlobalAveragePool, conv_norm
from .network import Network, TrainingScores

Kernel = int | tuple[int, int]
Link = tuple[int, Kernel] | tuple[int, Kernel, int]


class FilterConcat(nn.Module):
    """Branches that see the same input, their maps stacked: (N, C, H, W) → (N, ΣC, h, w).

    The "filter concat" of the figures; branches stand in the order of their channels.
    """

    def __init__(self, branches: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name, branch in branches.items():
            self.add_module(name, branch)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.children()], dim=1)


def conv(
    in_channels: int, out_channels: int, kernel: Kernel, stride: int = 1, padding: int | None = None
) -> nn.Sequential:
    """Convolution → batch norm → ReLU as from Inception v3 on, with the authors' epsilon, 0.001.

    The running statistics follow with PyTorch's momentum of 0.1: the authors' decay of 0.9997 needs
    their millions of steps.

    Keeps the size at stride 1 and takes no padding at stride 2, the "V" of the figures.
    """
    if stride > 1:
        padding = 0
    return conv_norm(in_channels, out_channels, kernel, stride, padding=padding, eps=1e-3)


def chain(in_channels: int, *links: Link, conv: Callable[..., nn.Module] = conv) -> nn.Sequential:
    """Convolutions one after another, each given as (channels, kernel) or with a stride."""
    layers = nn.Sequential()
    for out_channels, *kernel_and_stride in links:
        layers.append(conv(in_channels, out_channels, *kernel_and_stride))
        in_channels = out_channels
    return layers


def he_fan_in(module: nn.Module) -> None:
    """Initialize a convolution as the authors' code does: He's normal, by fan-in; all biases 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def auxiliary_head(in_channels: int, num_classes: int) -> nn.Sequential:
    """5x5 average pool → 1x1 to 128 → 5x5 to 768 → classes, as the authors released it.

    It reads the last 17x17 map, in Inception v3, v4 and Inception-ResNet v2 alike.
    """
    head = nn.Sequential()
    head.add_module("pool", nn.AvgPool2d(5, 3))
    head.add_module("conv1", conv(in_channels, 128, 1))
    head.add_module("conv2", conv(128, 768, 5, padding=0))
    head.add_module("global_pool", GlobalAveragePool())
    head.add_module("fc", nn.Linear(768, num_classes))
    return head


AUXILIARY_MIN_SIZE = 299  # its 5x5 needs the whole of a 17x17 map


class AuxiliaryNetwork(Network):
    """A network that may have classifiers on earlier stages, to train it; they are unused after.

    ``auxiliary`` maps the name of a stage to the classifier that reads its output, nearest to the
    input first. In training mode a network that has some answers TrainingScores, and takes
    pictures of at least ``auxiliary_min_size`` pixels.
    """

    def __init__(
        self,
        stages: Mapping[str, nn.Module],
        neck: nn.Module,
        head: nn.Module,
        auxiliary: Mapping[str, nn.Module],
        auxiliary_min_size: int,
    ) -> None:
        super().__init__(stages, neck, head)
        self.auxiliary = nn.ModuleDict(auxiliary)
        self.auxiliary_min_size = auxiliary_min_size

    def forward(self, images: Tensor) -> Tensor | TrainingScores:  # type: ignore[override]
        """Scores (N, num_classes); with auxiliary heads in training mode, TrainingScores."""
        if not (self.training and len(self.auxiliary)):
            return super().forward(images)
        self.check(images)
        x, answers = images, []
        for name, stage in self.stages.named_children():
            x = stage(x)
            if name in self.auxiliary:
                answers.append(self.auxiliary[name](x))
        return TrainingScores(self.head(self.neck(x)), tuple(answers))

    def reset_classifier(self, num_classes: int) -> None:
        """Reset the classifier; ValueError with auxiliary heads, which would keep theirs."""
        if len(self.auxiliary):
            raise ValueError(
                "auxiliary heads would keep their classes; build the network anew: "
                f"zoo.create(…, num_classes={num_classes}, auxiliary=True)"
            )
        super().reset_classifier(num_classes)

    def check(self, images: Tensor) -> None:
        """Refuse a batch that the network, or its auxiliary heads, cannot take."""
        super().check(images)
        if self.spec is None or not (self.training and len(self.auxiliary)):
            return
        if min(images.shape[2:]) < self.auxiliary_min_size:
            least = self.auxiliary_min_size
            raise InputShapeError(
                f"{self.spec.name} takes pictures of at least {least}x{least} pixels while its "
                f"auxiliary heads train, got {images.shape[2]}x{images.shape[3]}"
            )
