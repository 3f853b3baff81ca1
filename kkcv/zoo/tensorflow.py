"""Compute as TensorFlow does, for weights that were trained there.

TensorFlow's "SAME" padding of a strided convolution adds the odd row and column at the far side;
PyTorch pads both sides alike and so looks one pixel elsewhere. Its batch norms use another
epsilon. The parameters are the same, so a state dict does not tell: the table of weights does.
"""

import torch.nn.functional as F
from torch import Tensor, nn

BATCH_NORM_EPS = 1e-3  # of the TensorFlow authors of MobileNet and EfficientNet
BATCH_NORM_MOMENTUM = 0.01


class SamePaddedConv2d(nn.Conv2d):
    """A convolution whose output is ceil(input / stride), padded at the far side first."""

    def forward(self, x: Tensor) -> Tensor:
        top, bottom = same_padding(x.shape[2], self.kernel_size[0], self.stride[0])
        left, right = same_padding(x.shape[3], self.kernel_size[1], self.stride[1])
        x = F.pad(x, (left, right, top, bottom))
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels to add before and after an axis of ``size`` pixels."""
    total = kernel - 1 - (size - 1) % stride
    if kernel < stride:  # only then: torch.export thinks long about a max of dynamic sizes
        total = max(total, 0)
    return total // 2, total - total // 2


def compute_as_tensorflow(network: nn.Module) -> None:
    """Change the padded, strided convolutions and the batch norms of a network, in place.

    A convolution without padding is "VALID" there too, and one without stride pads both sides
    alike there too: those stay.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Conv2d and child.stride != (1, 1) and child.padding != (0, 0):
                setattr(parent, name, same_padded(child))
            elif isinstance(child, nn.BatchNorm2d | nn.BatchNorm1d):
                child.eps, child.momentum = BATCH_NORM_EPS, BATCH_NORM_MOMENTUM


def same_padded(conv: nn.Conv2d) -> SamePaddedConv2d:
    """The same convolution, sharing its parameters, padded as TensorFlow pads."""
    same = SamePaddedConv2d(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        groups=conv.groups,
        bias=conv.bias is not None,
        device="meta",
    )
    same.weight, same.bias = conv.weight, conv.bias
    return same
