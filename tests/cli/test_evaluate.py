"""kkcv evaluate search on the real sets."""

from collections.abc import Callable
from pathlib import Path

from .conftest import Said

Kkcv = Callable[..., Said]


def test_the_default_backbone_retrieves_imagenette_classes(kkcv: Kkcv, pictures: Path) -> None:
    """Measured when written: mAP 0.815, P@1 0.957, P@10 0.933."""
    said = kkcv("evaluate", "search", pictures / "imagenette", "--json")

    result = said.json
    assert result["network"] == "efficientnet_lite0"
    assert (result["pictures"], result["classes"]) == (1000, 10)
    assert result["mAP"] > 0.80
    assert result["precision@1"] > 0.95
    assert result["precision@10"] > 0.92
    assert {"precision@5", "recall@1", "recall@10"} <= set(result)


def test_a_near_duplicate_always_comes_first(kkcv: Kkcv, pictures: Path) -> None:
    said = kkcv("evaluate", "search", pictures / "near_dup_caltech", "--json")

    assert said.json["precision@1"] == 1.0
    assert said.json["mAP"] > 0.999


def test_rankings_are_compared_in_a_table(kkcv: Kkcv, pictures: Path, tmp_path: Path) -> None:
    folder = some_classes(pictures, tmp_path)

    said = kkcv("evaluate", "search", folder, "--ranking", "plain,best", "--max-chance", "0.01")

    assert said.code == 0
    words = said.out.split()
    assert words[:4] == ["ranking", "mAP", "precision@1", "precision@5"]
    assert {"plain", "best", "false_match_rate", "matches_kept", "answered"} <= set(words)


def test_for_programs_each_ranking_is_a_row(kkcv: Kkcv, pictures: Path, tmp_path: Path) -> None:
    folder = some_classes(pictures, tmp_path)

    said = kkcv(
        "evaluate", "search", folder, "--ranking", "plain,best,reciprocal", "--max-chance", "0.01",
        "--json",
    ).json  # fmt: skip

    rows = {row.pop("ranking"): row for row in said["rankings"]}
    assert list(rows) == ["plain", "best", "reciprocal"]
    assert all({"mAP", "precision@1", "recall@10", "milliseconds"} <= set(r) for r in rows.values())
    assert rows["best"]["mAP"] > rows["plain"]["mAP"]
    assert said["false_match_rate"] < 0.05
    assert said["matches_kept"] > 0.3


def test_a_ranking_that_is_none_is_refused_before_anything_is_embedded(
    kkcv: Kkcv, pictures: Path
) -> None:
    said = kkcv("evaluate", "search", pictures / "imagenette", "--ranking", "plain,bets")

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("kkcv: no ranking 'bets'; there are: plain, best,")


def some_classes(pictures: Path, folder: Path) -> Path:
    """Ten classes of six pictures."""
    for kind in sorted(path for path in (pictures / "imagenette").iterdir() if path.is_dir()):
        (folder / "set" / kind.name).mkdir(parents=True)
        for path in sorted(kind.iterdir())[:6]:
            (folder / "set" / kind.name / path.name).symlink_to(path)
    return folder / "set"
