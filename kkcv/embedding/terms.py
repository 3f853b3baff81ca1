"""The license of a preset, said before its first use."""

from kkcv.presets import preset as presets
from kkcv.zoo.richness import split

from .telling import tell

_said: set[str] = set()  # by this process


def say(model: str) -> None:
    """Say once what the weights of a preset may be used for; nothing of other networks."""
    preset = presets.find(split(model)[0])
    if preset is not None and preset.name not in _said:
        _said.add(preset.name)
        tell(f"{preset.name}, {preset.terms.name}: {preset.terms.en}")


def known(model: str) -> None:
    """The license was said before, when the gallery with this network was made."""
    preset = presets.find(split(model)[0])
    if preset is not None:
        _said.add(preset.name)


def facts(model: str) -> dict[str, str]:
    """The license for the facts of a gallery; nothing of networks that are no preset."""
    preset = presets.find(split(model)[0])
    return {} if preset is None else {"license": f"{preset.terms.name}: {preset.terms.en}"}
