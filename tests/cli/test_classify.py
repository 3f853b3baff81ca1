"""kkcv classify, as a user types it."""

from collections.abc import Callable
from pathlib import Path

from .conftest import Said

Kkcv = Callable[..., Said]


def test_it_names_a_picture_in_a_table_and_in_json(kkcv: Kkcv, pictures: Path) -> None:
    tench = pictures / "imagenet_sample_300" / "n01440764_tench.JPEG"

    table = kkcv("classify", tench, "--top", 2, "--lang", "zh")
    objects = kkcv("classify", tench, "--top", 2, "--json")

    assert "丁鱥" in table.out
    guesses = objects.json["pictures"][0]["guesses"]
    assert guesses[0]["label"] == "tench"
    assert len(guesses) == 2


def test_a_bad_picture_does_not_stop_the_others(kkcv: Kkcv, pictures: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"no picture")
    tench = pictures / "imagenet_sample_300" / "n01440764_tench.JPEG"

    said = kkcv("classify", bad, tench, "--json")

    assert said.code == 0
    assert [answer["path"] for answer in said.json["pictures"]] == [str(tench)]
    assert said.json["rejects"][0]["reason"] == "not-an-image"
    assert "bad.jpg" in said.err
