"""``kkcv explain``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def test_explain_draws_both_pictures_and_prints_where_the_score_comes_from(
    kkcv: Callable[..., Any], made_gallery: Path, album: list[Path], tmp_path: Path
) -> None:
    sheet = tmp_path / "why.png"

    both = (album[0], "id:2", "--gallery", made_gallery)
    said = kkcv("explain", *both, "-o", sheet, "--json", "--matches")

    assert said.code == 0, said.err
    assert np.sum(said.json["query"]["heat"]) == pytest.approx(said.json["score"], abs=1e-5)
    assert np.sum(said.json["hit"]["heat"]) == pytest.approx(said.json["score"], abs=1e-5)
    assert len(said.json["matches"]) >= 8
    for (x, y), (u, v) in said.json["matches"]:  # two sizes of one picture
        assert abs(x - u) < 0.05
        assert abs(y - v) < 0.05
    with Image.open(sheet) as drawn:
        assert drawn.width > 900


def test_explain_says_what_it_lacks(kkcv: Callable[..., Any], album: list[Path]) -> None:
    without_out = kkcv("explain", album[0], album[1])
    without_gallery = kkcv("explain", album[0], "id:2", "--json")

    assert (without_out.code, without_out.err) == (
        2,
        "kkcv: name the picture to write: -o why.png (or --json for the numbers)\n",
    )
    assert (without_gallery.code, without_gallery.err) == (
        2,
        "kkcv: id:2 is a picture of a gallery; name it: --gallery GALLERY\n",
    )


def test_the_score_is_the_one_that_the_search_said(
    kkcv: Callable[..., Any], made_gallery: Path, album: list[Path]
) -> None:
    hits = kkcv("search", made_gallery, album[0], "-k", 3, "--json").json["hits"]

    for hit in hits:
        why = kkcv("explain", made_gallery, album[0], f"id:{hit['id']}", "--json").json

        assert why["score"] == pytest.approx(hit["score"], abs=1e-4)
        for side in (why["query"], why["hit"]):
            assert np.sum(side["heat"]) + side["rest"] == pytest.approx(hit["score"], abs=1e-4)
