"""One fact of a network beside what is expected of it, and a paper's figures beside ours."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from .facts import MEASURED, Printed
from .recorded import Recorded, StageCost

if TYPE_CHECKING:
    from .costs import Cost  # for types only: it loads torch

Counted = Union["Cost", Recorded]


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
    where: str = ""  # the place in the paper, with which ``what`` ends

    @property
    def outcome(self) -> str:
        """``ok``, ``FAILED``, ``explained`` by the note, or nothing where nothing is compared."""
        if not self.ours:
            return ""
        if not self.passed:
            return "FAILED"
        return "explained" if self.explained else "ok"


def check_printed(figure: Printed, measured: Counted) -> Check:
    """A figure of the paper beside ours; it fails when the two disagree and no note says why.

    Accuracies are only shown, because they need the paper's training.
    """
    what = f"{figure.what}, {figure.where}"
    if figure.what not in MEASURED:
        return Check(figure.network, what, figure.text, "", True, figure.note, where=figure.where)
    row: Counted | StageCost = measured
    if figure.stage:
        what = f"{figure.what} of {figure.stage}, {figure.where}"
        row = next(r for r in measured.stages if r.name == figure.stage)
    ours = row.parameters if figure.what == "parameters" else row.macs
    agrees = figure.agrees(ours)
    note = "" if agrees else figure.note
    passed = agrees or bool(note)
    return Check(
        figure.network, what, figure.text, f"{ours:,}", passed, note, bool(note), figure.where
    )
