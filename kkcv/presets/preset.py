"""A preset: a network of another library with all that its vectors depend on, by one word.

``presets.csv`` says which network, how pictures are prepared for it, and what its vector is, so
that neither the library nor PyTorch is needed to use a network that was exported already. A test
compares every line with the library's own configuration.
"""

import csv
import tomllib
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from kkcv.errors import RequestError

SIGN = "@"  # before the side of the input, where it is not the preset's own: dinov3-small@448

# Mean and standard deviation of each channel, of values from 0 to 1.
NORMALIZATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "half": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
FILES = {  # what the library's repositories on the hub call their weights, the likelier first
    "timm": ("model.safetensors", "pytorch_model.bin"),
    "open_clip": ("open_clip_model.safetensors", "open_clip_pytorch_model.bin"),
}


@dataclass(frozen=True)
class License:
    """``en`` and ``zh`` say in plain words what may be done; ``address`` has the license."""

    name: str
    address: str
    en: str
    zh: str

    def said(self, language: str) -> str:
        """Its name and what may be done, in ``zh`` or ``en``."""
        return f"{self.name}: {self.zh if language == 'zh' else self.en}"


@dataclass(frozen=True)
class Preset:
    """A line of the table.

    Args:
        name: the word.
        library: ``timm`` or ``open_clip``; ``model`` is what the library calls the network.
        repository: of the hub, with the weights.
        pixels: side of the input; other sides are multiples of ``step``, ``most`` at most.
        resize: ``crop`` the center, the shortest side whole; or ``squash`` the whole picture.
        interpolation: ``bicubic`` or ``bilinear``.
        numbers: of the vector.
        parameters: of the network, the text tower included.
        vector: ``class token``, ``attention pooling`` or ``mean of the map``.
        context: tokens of a text, 0 where the network reads none.
        license: its key in ``licenses.toml``.
    """

    name: str
    library: str
    model: str
    repository: str
    pixels: int
    step: int
    most: int
    resize: str
    interpolation: str
    normalization: str
    numbers: int
    parameters: int
    vector: str
    context: int
    license: str
    own_pixels: int = 0

    @property
    def id(self) -> str:
        """The network as kkcv names those of other libraries."""
        return f"{self.library}:{self.model}"

    @property
    def megabytes(self) -> int:
        """The size of its weights, float32."""
        return round(4 * self.parameters / 1e6)

    @property
    def reads_text(self) -> bool:
        return self.context > 0

    @property
    def word(self) -> str:
        """The word that finds it again: its name, and the side of the input if that was changed."""
        own = self.pixels == self.own_pixels
        return self.name if own else f"{self.name}{SIGN}{self.pixels}"

    @property
    def terms(self) -> License:
        return licenses()[self.license]


@cache
def presets() -> dict[str, Preset]:
    """All presets by name."""
    numbers = ("pixels", "step", "most", "numbers", "parameters", "context")
    with Path(__file__).with_name("presets.csv").open(encoding="utf-8") as lines:
        rows = [
            {key: int(value) if key in numbers else value for key, value in row.items()}
            for row in csv.DictReader(lines)
        ]
    return {str(row["name"]): Preset(**row, own_pixels=int(row["pixels"])) for row in rows}  # type: ignore[arg-type]


@cache
def licenses() -> dict[str, License]:
    text = Path(__file__).with_name("licenses.toml").read_text(encoding="utf-8")
    return {key: License(**values) for key, values in tomllib.loads(text).items()}


def find(word: str) -> Preset | None:
    """The preset of a word such as ``dinov3-small`` or ``dinov3-small@448``; None for other words.

    Raises RequestError for a side that the network cannot take.
    """
    name, sign, side = word.partition(SIGN)
    preset = presets().get(name)
    if preset is None or not sign:
        return preset
    # int() reads digits of other scripts too
    pixels = int(side) if side.isascii() and side.isdecimal() and len(side) < 6 else 0
    if not preset.step <= pixels <= preset.most or pixels % preset.step:
        raise RequestError(
            f"{name} takes pictures of {preset.pixels} pixels, or of another multiple of "
            f"{preset.step} up to {preset.most}, got {word!r}"
        )
    return replace(preset, pixels=pixels)


def near(word: str) -> list[str]:
    """The presets that a mistyped word may mean."""
    typed = word.lower().replace("_", "-").replace(" ", "-")
    begun = [name for name in presets() if typed and name.startswith(typed)]
    return begun or get_close_matches(typed, presets(), n=4, cutoff=0.6)
