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
