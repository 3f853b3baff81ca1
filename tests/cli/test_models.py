"""``kkcv models``: the embedders of one word, in a table."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from kkcv.cli import main
from kkcv.embedding import price, terms
from kkcv.errors import RequestError

from .conftest import Said

Kkcv = Callable[..., Said]


def test_models_are_listed_with_what_they_need_give_and_allow(kkcv: Kkcv) -> None:
    said = kkcv("models")

    assert said.code == 0
    for word in ("efficientnet_lite0", "dinov3-small", "siglip2-large", "mobileclip2-s2"):
        assert word in said.out
    assert "Research only: no commercial use" in said.out
    assert "Built with DINOv3" in said.out


def test_models_are_plain_values_for_programs(kkcv: Kkcv) -> None:
    (row,) = kkcv("models", "pe-core-base", "--json").json["models"]

    assert row["id"] == "open_clip:PE-Core-B-16"
    assert (row["input"], row["numbers"], row["megabytes"]) == (224, 1024, 1791)
    assert (row["reads_text"], row["context"], row["license"]) == (True, 32, "Apache 2.0")
    assert row["figures"][0]["figure"] == "50.9"


def test_a_model_that_there_is_not_is_one_line(kkcv: Kkcv) -> None:
    said = kkcv("models", "dinov4")

    assert said.code == 2
    assert said.err.startswith("kkcv: no embedder 'dinov4'; there are: efficientnet_lite0, dinov3-")


@pytest.mark.parametrize(("others", "code"), [(["siglip2-base"], 0), ([], 1)])
def test_what_cannot_be_measured_stops_nothing(
    others: list[str], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def measured(word: str) -> None:
        if word == "dinov3-small":
            raise RequestError("no room")
        price.remember(word, price.Price(81.5, 900, "openvino", "float32"))

    monkeypatch.setenv("KKCV_CACHE", str(tmp_path))
    monkeypatch.setattr(price, "measure", measured)

    ended = CliRunner().invoke(main, ["models", "dinov3-small", *others, "--measure"])

    reason = "dinov3-small cannot be measured: no room\n"
    assert (ended.exit_code, ended.stderr) == (code, reason)
    assert ("81.5 ms" in ended.stdout) is bool(others)


def test_listing_models_loads_nothing_heavy_also_where_some_were_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KKCV_CACHE", str(tmp_path))
    price.remember("dinov3-small", price.Price(81.5, 900, "openvino", "float32"))
    code = (
        "import sys; from kkcv.cli import main\n"
        "try: main(['models'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('torch', 'numpy', 'timm', 'faiss', 'PIL') if m in sys.modules])"
    )

    said = subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()

    assert any("dinov3-small" in line and "81.5" in line for line in said)
    assert said[-1] == "[]"


@pytest.mark.parametrize(("language", "words"), [("en", "no military use"), ("zh", "禁止军事用途")])
def test_the_license_is_said_once_in_the_language_of_the_user(
    language: str, words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("KKCV_LANG", language)
    monkeypatch.setattr(terms, "_said", set())

    with caplog.at_level(logging.INFO):
        for _ in range(2):
            terms.say("dinov3-small+parts")

    (said,) = caplog.messages
    assert said.startswith("dinov3-small, DINOv3 License: Built with DINOv3")
    assert words in said
