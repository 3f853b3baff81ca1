"""The proof: each network measured, and set beside what is known of it from elsewhere."""

from collections.abc import Iterable, Iterator

from torch import Tensor

from . import parity
from .checks import Check, check_printed
from .costs import Cost, cost
from .facts import counts, printed_of
from .peers import Peer, peers_of
from .recorded import Shape
from .registry import spec

MACS_TOLERANCE = 0.005  # of the reference count: pools at odd sizes, heads as convolutions


def verify(name: str) -> list[Check]:
    """Check a network's counts, feature maps and embedding, and the figures of its paper.

    Raises UnknownNetwork.
    """
    known = spec(name)
    measured = cost(known.name)
    checks = list(check_counts(measured)) if known.name in counts() else []
    return checks + [check_printed(figure, measured) for figure in printed_of(known.name)]


def check_counts(measured: Cost) -> Iterator[Check]:
    """Parameters exactly, multiply-adds nearly, every feature map, the embedding's dimension."""
    name, known = measured.network, counts()[measured.network]
    yield exactly(name, "input", text(known.input_size), text(measured.input_size))
    yield exactly(name, "parameters", f"{known.parameters:,}", f"{measured.parameters:,}")
    yield Check(
        name,
        "multiply-adds",
        f"{known.macs:,}",
        f"{measured.macs:,}",
        abs(measured.macs - known.macs) <= MACS_TOLERANCE * known.macs,
        "" if measured.macs == known.macs else f"{measured.macs / known.macs - 1:+.2%}",
    )
    lacking = missing(known.maps, measured.maps)
    yield Check(
        name,
        "feature maps",
        f"{len(known.maps)} in order",
        f"{len(known.maps)} in order" if not lacking else f"no {text(lacking[0])} where expected",
        not lacking,
    )
    yield exactly(
        name,
        "embedding",
        str(known.embedding_dim),
        str(next(row.shape[0] for row in reversed(measured.stages) if row.part == "neck")),
    )


def exactly(network: str, what: str, expected: str, ours: str) -> Check:
    return Check(network, what, expected, ours, expected == ours)


def missing(expected: Iterable[Shape], got: Iterable[Shape]) -> list[Shape]:
    """The shapes that do not come in this order in the other list."""
    rest = iter(got)
    return [shape for shape in expected if shape not in rest]  # ``in`` goes on where it stopped


def text(shape: Shape) -> str:
    return "x".join(map(str, shape))


def verify_peers(name: str, images: Tensor) -> list[Check]:
    """Check that a network computes what its peers compute: their weights in ours, same pictures.

    Raises UnknownNetwork, MissingExtra when a peer's library is not installed.
    """
    return [check_peer(peer, images) for peer in peers_of(spec(name).name)]


def check_peer(peer: Peer, images: Tensor) -> Check:
    if peer.differs:
        return Check(peer.network, peer.call, "another network", "", True, peer.differs)
    try:
        found = parity.compare(peer, images)
    except ValueError as error:
        return Check(peer.network, peer.call, "the same parameters", "others", False, str(error))
    ours = f"scores {found.forward:.0e}"
    return Check(peer.network, peer.call, f"within {parity.TOLERANCE:.0e}", ours, found.holds)
