"""The license of a preset, said before its first use."""

from kkcv.environment import language
from kkcv.presets.preset import Preset, find
from kkcv.zoo.richness import split

from .telling import tell

_said: set[str] = set()  # by this process


def say(model: str) -> None:
    """Say once what the weights of a preset may be used for; nothing of other networks."""
    preset = preset_of(model)
    if preset is not None and preset.name not in _said:
        _said.add(preset.name)
        tell(f"{preset.name}, {preset.terms.said(language())}")


def known(model: str) -> None:
    """Do not say the license of a preset again: it was said when the gallery was made."""
    preset = preset_of(model)
    if preset is not None:
        _said.add(preset.name)


def facts(model: str, language: str = "en") -> dict[str, str]:
    """The license for the facts of a gallery; nothing of networks that are no preset."""
    preset = preset_of(model)
    return {} if preset is None else {"license": preset.terms.said(language)}


def preset_of(model: str) -> Preset | None:
    """The preset of a word such as ``dinov3-small+parts``."""
    return find(split(model)[0])
