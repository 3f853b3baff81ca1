"""The few pieces that many papers share."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def conv_norm(
    in_channels: int,
    out_channels: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    *,
    padding: int | tuple[int, int] | None = None,
    groups: int = 1,
    eps: float = 1e-5,
    momentum: float = 0.1,
    activation: Callable[[], nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """Convolution without bias → batch norm → activation (Ioffe & Szegedy 2015, section 3.2).

    Without ``padding`` an odd kernel keeps the size ("same" at stride 1).
    """
    if padding is None:
        kh, kw = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (kh // 2, kw // 2)
    layers = nn.Sequential()
    layers.add_module(
        "conv",
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=False),
    )
    layers.add_module("norm", nn.BatchNorm2d(out_channels, eps=eps, momentum=momentum))
    if activation is not None:
        layers.add_module("act", activation())
    return layers


def conv_relu(
    in_channels: int,
    out_channels: int,
    kernel: int,
    stride: int = 1,
    *,
    padding: int | None = None,
    groups: int = 1,
) -> nn.Sequential:
    """Convolution with bias → ReLU, as before there was batch norm; "same" without ``padding``."""
    padding = kernel // 2 if padding is None else padding
    layers = nn.Sequential()
    layers.add_module(
        "conv", nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups)
    )
    layers.add_module("act", nn.ReLU())
    return layers


def norm_relu(channels: int) -> nn.Sequential:
    """Batch norm → ReLU: the pre-activation of He et al., arXiv:1603.05027, figure 4 e."""
    layers = nn.Sequential()
    layers.add_module("norm", nn.BatchNorm2d(channels))
    layers.add_module("act", nn.ReLU())
    return layers


def norm_conv(in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Batch norm → ReLU → convolution without bias, "same" at stride 1."""
    layers = norm_relu(in_channels)
    layers.add_module(
        "conv", nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False)
    )
    return layers


def stack(
    block: Callable[[int, int, int], nn.Module],
    repeats: int,
    in_channels: int,
    out_channels: int,
    stride: int,
) -> nn.Sequential:
    """A stage of ``repeats`` blocks; the first changes channels and resolution.

    ``block`` takes in_channels, out_channels, stride.
    """
    first = block(in_channels, out_channels, stride)
    return nn.Sequential(first, *(block(out_channels, out_channels, 1) for _ in range(1, repeats)))


class GlobalAveragePool(nn.Module):
    """The mean of each channel: (N, C, H, W) → (N, C) (Lin et al. 2013, arXiv:1312.4400)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


class SqueezeExcite(nn.Module):
    """Scale each channel by a gate computed from all of them (Hu et al., arXiv:1709.01507).

    squeeze: global mean → fc to ``squeezed`` → activation → fc back → ``gate`` → scale.
    """

    def __init__(
        self,
        channels: int,
        squeezed: int,
        gate: Callable[[], nn.Module] = nn.Sigmoid,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        # 1x1 convolutions of a 1x1 map: the fully connected layers of the paper
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.act = activation()
        self.fc2 = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate()

    def forward(self, x: Tensor) -> Tensor:
        s = x.mean(dim=(2, 3), keepdim=True)
        return x * self.gate(self.fc2(self.act(self.fc1(s))))


class DropPath(nn.Module):
    """Drop a whole residual branch of a sample while training (Huang et al., arXiv:1603.09382)."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        keep = 1 - self.rate
        mask = torch.empty(x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device).bernoulli_(keep)
        return x * mask / keep  # the same on average as in eval mode

    def extra_repr(self) -> str:
        return f"rate={self.rate}"


class LayerScale(nn.Module):
    """A learned factor for each channel (Touvron et al., arXiv:2103.17239, section 2.1)."""

    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((channels,), start))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma[:, None, None]


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """Interleave the groups of channels: (N, C, H, W) → the same shape.

    Channels as a table of (groups, n) are transposed to (n, groups) and flattened back, so that
    each group of the next convolution sees all groups (Zhang et al., arXiv:1707.01083, figure 1).
    """
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


def make_divisible(width: float) -> int:
    """The multiple of 8 nearest to ``width``, never more than 10% below it.

    The rounding of the MobileNet authors' code; the papers do not print it.
    """
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * width else rounded + 8


def he_normal(module: nn.Module) -> None:
    """Initialize a convolution as He et al. do (arXiv:1502.01852, equation 14), all biases with 0.

    The fan-out is that of one group: PyTorch's own counts all of them, which leaves grouped and
    depthwise convolutions too quiet. Weights of linear layers keep PyTorch's initialization,
    uniform in ±1/√fan-in, as in the authors' code of ResNet and DenseNet.
    """
    if isinstance(module, nn.Conv2d):
        height, width = module.kernel_size
        fan_out = module.out_channels // module.groups * height * width
        nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
    if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
