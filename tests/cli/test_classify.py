"""kkcv classify, as a user types it."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from kkcv import zoo
from kkcv.zoo.network import Network

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


def test_of_a_file_with_an_average_it_takes_what_the_flags_say(
    kkcv: Kkcv, pictures: Path, tmp_path: Path
) -> None:
    name, file = "shufflenet_v2_x0_5", tmp_path / "both.pth"
    torch.save(
        {"model": sure_of(zoo.create(name), 3), "model_ema": sure_of(zoo.create(name), 5)}, file
    )
    tench = pictures / "imagenet_sample_300" / "n01440764_tench.JPEG"

    def first(*flags: str) -> tuple[str, str]:
        said = kkcv("classify", tench, "--model", name, "--weights", file, *flags, "--json")
        return said.json["pictures"][0]["guesses"][0]["label"], said.err

    assert first() == (
        "electric ray",
        f"kkcv: {file} holds an average of the weights (model_ema), which is taken; "
        "ema=False (--no-ema) takes the raw ones\n",
    )
    assert first("--no-ema") == ("tiger shark", "")


def sure_of(network: Network, index: int) -> dict[str, Tensor]:
    """Weights with which every picture is of this class."""
    with torch.no_grad():
        network.head.weight.zero_()
        network.head.bias.zero_()[index] = 9
    return network.state_dict()


def test_ema_without_a_weights_file_is_refused(kkcv: Kkcv, pictures: Path) -> None:
    tench = pictures / "imagenet_sample_300" / "n01440764_tench.JPEG"

    said = kkcv("classify", tench, "--no-ema")

    assert said.code == 2
    assert said.err == (
        "kkcv: --ema and --no-ema are about a weights file: give it as --weights PATH\n"
    )
