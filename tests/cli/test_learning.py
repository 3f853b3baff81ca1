"""``kkcv selfcheck``, ``kkcv adapt`` and ``kkcv search --text``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kkcv.images.disturb import COPIES, DISTURBANCES, PASTED


def test_selfcheck_has_a_row_for_each_disturbance(
    kkcv: Callable[..., Any], made_gallery: Path
) -> None:
    said = kkcv("selfcheck", made_gallery, "--sample", 3, "--json")

    assert said.code == 0, said.err
    assert (said.json["pictures"], said.json["left_out"]) == (3, 0)
    assert [(r["disturbance"], r["strength"]) for r in said.json["rows"]] == [
        *((each.name, each.strength) for each in (*DISTURBANCES, *COPIES)),
        PASTED,
    ]
    assert said.json["rows"][0]["first"] == 1


def test_what_cannot_be_is_said_in_one_line(kkcv: Callable[..., Any], made_gallery: Path) -> None:
    few = kkcv("adapt", made_gallery)
    nothing = kkcv("adapt", made_gallery, "--undo")
    blind = kkcv("search", made_gallery, "--text", "a red bus")
    neither = kkcv("search", made_gallery)

    assert [said.code for said in (few, nothing, blind, neither)] == [2, 2, 2, 2]
    assert few.err.startswith(f"kkcv: {made_gallery} has 12 pictures that share their label")
    assert nothing.err == f"kkcv: {made_gallery} has no projection to undo\n"
    assert "which reads no text" in blind.err
    assert neither.err.startswith("kkcv: name a picture to search with, or what it shows: --text")
