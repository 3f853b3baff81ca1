"""Presets: networks of timm and open_clip whose every detail stands in kkcv's own table.

Neither library is imported to find one, only to build it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from kkcv.errors import RequestError, UnknownNetwork
from kkcv.extras import need
from kkcv.images.preprocess import Preprocess
from kkcv.presets import preset as table
from kkcv.presets.preset import NORMALIZATIONS, Preset

from .adapter import Adapter, Found, Texts
from .preset_weights import RANDOM, present, weights_of

if TYPE_CHECKING:
    from kkcv.zoo.network import Network

    from .foreign import Tower


class Presets(Adapter):
    """The vector that the line of a preset names, from the library's own network."""

    def find(self, name: str, weights: str) -> Found:
        preset = named(name)
        file = weights_of(preset, weights)
        own = weights in ("imagenet", RANDOM)
        return Found(
            preset.word,
            preset.word,
            file,
            weights if own or file is None else str(file.path),
            preprocess_of(preset),
            preset.reads_text,
        )

    def build(
        self, name: str, weights: str, file: Path | None, preprocess: Preprocess
    ) -> "Network":
        preset = named(name)
        file = None if file is None else present(preset, file)
        if preset.library == "timm":
            from .timm import network_of_preset

            return network_of_preset(preset, file, preprocess)
        from .open_clip import pictures_of_preset

        return pictures_of_preset(preset, file, preprocess)

    def texts(self, name: str, weights: str) -> Texts:
        preset = reading(name)
        from .open_clip import texts_of_preset

        return texts_of_preset(preset, file_of(preset, weights))

    def tower(self, name: str, weights: str) -> "Tower":
        preset = reading(name)
        from .open_clip import tower_of_preset

        return tower_of_preset(preset, file_of(preset, weights))


def named(name: str) -> Preset:
    found = table.find(name)
    if found is None:
        raise UnknownNetwork(f"no embedder {name!r}; see: kkcv models")
    return found


def reading(name: str) -> Preset:
    """The preset of a name that reads text (RequestError)."""
    preset = named(name)
    if not preset.reads_text:
        raise RequestError(f"{name} reads no text; {', '.join(readers())} do")
    need(preset.library)
    return preset


def file_of(preset: Preset, weights: str) -> Path | None:
    """The file of the weights, there to be read; None for random ones (WeightsError)."""
    found = weights_of(preset, weights)
    return None if found is None else present(preset, found.path)


def readers() -> list[str]:
    """The presets that read text."""
    return [preset.name for preset in table.presets().values() if preset.reads_text]


def preprocess_of(preset: Preset) -> Preprocess:
    """As the library's own documented evaluation prepares pictures."""
    mean, std = NORMALIZATIONS[preset.normalization]
    return Preprocess(
        size=(preset.pixels, preset.pixels),
        resize=None if preset.resize == "squash" else preset.pixels,
        interpolation=preset.interpolation,
        mean=mean,
        std=std,
    )
