"""VGG in torchvision, timm and pytorchcv.

The first two number all layers through, so that each configuration has numbers of its own.
"""

from kkcv.zoo.vgg import CONFIGURATIONS

Renaming = tuple[str, str]


def _numbered(configuration: str, norm: bool) -> tuple[Renaming, ...]:
    """The table of a configuration: a convolution, its norm and its ReLU count one each."""
    table, number = [], 0
    for i, kernels in enumerate(CONFIGURATIONS[configuration], start=1):
        for j in range(len(kernels)):
            for layer in ("conv", "norm") if norm else ("conv",):
                table.append((rf"^features\.{number}\.", f"stages.conv{i}.{j}.{layer}."))
                number += 1
            number += 1  # ReLU
        number += 1  # pool
    return *table, *_CLASSIFIER


_CLASSIFIER = (
    (r"^(classifier\.0|pre_logits\.fc1)\.", "neck.fc6."),
    (r"^(classifier\.3|pre_logits\.fc2)\.", "neck.fc7."),
    (r"^(classifier\.6|head\.fc)\.", "head.fc."),
)

_PYTORCHCV = (
    (r"^features\.stage(\d)\.", r"stages.conv\1."),
    *((rf"\.unit{i + 1}\.", f".{i}.") for i in range(4)),  # it counts from one
    (r"\.bn\.", ".norm."),
    (r"^output\.fc1\.fc\.", "neck.fc6."),
    (r"^output\.fc2\.fc\.", "neck.fc7."),
    (r"^output\.fc3\.", "head.fc."),
)

KEYS = {
    **{
        f"torchvision and timm, {configuration}{' with norms' if norm else ''}": _numbered(
            configuration, norm
        )
        for configuration in "ABDE"
        for norm in (False, True)
    },
    "pytorchcv": _PYTORCHCV,
}
