"""The proof: each network measured, and set beside what is known of it from elsewhere."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from torch import Tensor

from . import parity
from .costs import Cost, Shape, StageCost, cost
from .facts import MEASURED, Printed, counts, printed_of
from .peers import Peer, peers_of
from .registry import spec

MACS_TOLERANCE = 0.005  # of the reference count: pools at odd sizes, heads as convolutions


@dataclass(frozen=True)
class Check:
    """One fact of one network: what is expected, what ours is, and why they may differ."""

    network: str
    what: str
    expected: str
    ours: str
    passed: bool
    note: str = ""
    explained: bool = False  # it differs, and the note says why

    @property
    def outcome(self) -> str:
        """``ok``, ``FAILED``, ``explained`` by the note, or nothing where nothing is compared."""
        if not self.ours:
            return ""
        if not self.passed:
            return "FAILED"
        return "explained" if self.explained else "ok"


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


def check_printed(figure: Printed, measured: Cost) -> Check:
    """A figure of the paper beside ours. Accuracies are shown, for they need the paper's training.

    It fails when the two disagree and no note says why.
    """
    what = f"{figure.what}, {figure.where}"
    if figure.what not in MEASURED:
        return Check(figure.network, what, figure.text, "", True, figure.note)
    row: Cost | StageCost = measured
    if figure.stage:
        what = f"{figure.what} of {figure.stage}, {figure.where}"
        row = next(r for r in measured.stages if r.name == figure.stage)
    ours = row.parameters if figure.what == "parameters" else row.macs
    agrees = figure.agrees(ours)
    note = "" if agrees else figure.note
    passed = agrees or bool(note)
    return Check(figure.network, what, figure.text, f"{ours:,}", passed, note, bool(note))


def verify_peers(name: str, images: Tensor, gradients: bool = False) -> list[Check]:
    """Check that a network computes what its peers compute: their weights in ours, same pictures.

    Raises UnknownNetwork, MissingExtra when a peer's library is not installed.
    """
    return [check_peer(peer, images, gradients) for peer in peers_of(spec(name).name)]


def check_peer(peer: Peer, images: Tensor, gradients: bool) -> Check:
    if peer.differs:
        return Check(peer.network, peer.call, "another network", "", True, peer.differs)
    try:
        found = parity.compare(peer, images, gradients)
    except ValueError as error:
        return Check(peer.network, peer.call, "the same parameters", "others", False, str(error))
    ours = f"scores {found.forward:.0e}"
    if found.gradient is not None:
        ours += f", gradients {found.gradient:.0e}"
    note = peer.trains_differently if gradients else ""
    return Check(peer.network, peer.call, f"within {parity.TOLERANCE:.0e}", ours, found.holds, note)
