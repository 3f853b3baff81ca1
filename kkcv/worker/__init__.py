"""One child process that runs networks with PyTorch: worker.py asks, child.py answers.

Here is what goes between them.
"""

from typing import NamedTuple

Model = tuple[str, str]  # a network's name and its weights, as checkpoint.resolve takes them


class StageMaps(NamedTuple):
    """The feature maps of a stage, (C, H, W), and a sheet of the most active ones as PNG."""

    name: str
    shape: tuple[int, ...]
    sheet: bytes


class ClassHeat(NamedTuple):
    """A class with its probability, and a heat map of what raised its score as JPEG."""

    label: str
    probability: float
    picture: bytes
