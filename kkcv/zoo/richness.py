"""Richer embeddings by name: ``efficientnet_lite0+mirrored+gem`` (richer.py has the network).

``+parts`` keeps the network, and runs it on parts of each picture too (embedding/windows.py).
"""

from kkcv.errors import RequestError

RICHNESS = ("mirrored", "scales", "gem", "stages")
PARTS = "parts"
SIGN = "+"


def split(model: str) -> tuple[str, tuple[str, ...]]:
    """The network's own name, and what is to be richer, in the order of RICHNESS (RequestError)."""
    name, *parts = model.split(SIGN)
    every = (*RICHNESS, PARTS)
    if not parts or not any(part in every for part in parts):
        return model, ()  # the name of a network or a path with such a sign in it
    for part in parts:
        if part not in every:
            raise RequestError(
                f"no richer embedding {part!r} in {model!r}; there are: {', '.join(every)}"
            )
    if len(set(parts)) < len(parts):
        raise RequestError(f"{model!r} asks for the same twice; once is enough")
    return name, tuple(part for part in every if part in parts)


def of_network(richness: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of it that change the network: all but ``parts``."""
    return tuple(part for part in richness if part != PARTS)


def joined(name: str, richness: tuple[str, ...]) -> str:
    """Network and richness as one name."""
    return SIGN.join((name, *richness))
