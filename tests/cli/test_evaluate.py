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


def test_networks_are_compared_in_one_table(kkcv: Kkcv, pictures: Path, tmp_path: Path) -> None:
    folder = some_classes(pictures, tmp_path)
    how = ("--weights", "none", "--runtime", "pytorch", "--json")  # nothing is exported

    said = kkcv("evaluate", "search", folder, "--model", "lenet5,squeezenet1_1", *how).json
    alone = kkcv("evaluate", "search", folder, "--model", "lenet5", *how).json

    rows = {row["model"]: row for row in said["models"]}
    assert list(rows) == ["lenet5", "squeezenet1_1"]
    assert rows["lenet5"]["mAP"] == alone["mAP"]
    assert {"precision@1", "recall@10", "milliseconds"} <= set(rows["squeezenet1_1"])
    assert [(row["numbers"], row["bytes"]) for row in rows.values()] == [(84, 168), (512, 1024)]
    assert (said["pictures"], said["classes"]) == (60, 10)


def test_networks_to_compare_are_checked_before_anything_is_embedded(
    kkcv: Kkcv, pictures: Path
) -> None:
    folder = pictures / "imagenette"

    unknown = kkcv("evaluate", "search", folder, "--model", "efficientnet_lite0,resnet51")
    twice = kkcv("evaluate", "search", folder, "--model", "resnet18,resnet18")
    both = kkcv("evaluate", "search", folder, "--model", "a,b", "--ranking", "plain,best")

    assert [said.code for said in (unknown, twice, both)] == [2, 2, 2]
    assert "no network 'resnet51' in the zoo" in unknown.err
    assert "--model names networks, each once, as a,b,c; got 'resnet18,resnet18'" in twice.err
    assert "compare several networks, or several rankings, but not both at once" in both.err


def some_classes(pictures: Path, folder: Path) -> Path:
    """Ten classes of six pictures."""
    for kind in sorted(path for path in (pictures / "imagenette").iterdir() if path.is_dir()):
        (folder / "set" / kind.name).mkdir(parents=True)
        for path in sorted(kind.iterdir())[:6]:
            (folder / "set" / kind.name / path.name).symlink_to(path)
    return folder / "set"
