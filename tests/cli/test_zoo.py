"""kkcv zoo, as a user types it."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from .conftest import Said

Kkcv = Callable[..., Said]


def test_the_list_tells_what_each_network_costs(kkcv: Kkcv) -> None:
    networks = {row["network"]: row for row in kkcv("zoo", "list", "--json").json["networks"]}

    assert len(networks) >= 92
    resnet = networks["resnet50_v1.5"]
    assert (resnet["parameters"], resnet["multiply_adds"]) == (25_557_032, 4_089_184_256)
    assert (resnet["year"], resnet["embedding"], resnet["input"]) == (2015, 2048, "3x224x224")
    assert resnet["aliases"] == ["resnet50"]


def test_a_network_is_shown_by_its_stages(kkcv: Kkcv) -> None:
    table, facts = kkcv("zoo", "show", "resnet50"), kkcv("zoo", "show", "resnet50", "--json").json

    assert "arXiv:1512.03385" in table.out
    assert "others of ResNet: resnet18, resnet34" in table.out
    stages = {stage["name"]: stage for stage in facts["stages"]}
    assert stages["conv5_x"]["shape"] == [2048, 7, 7]
    assert sum(stage["parameters"] for stage in facts["stages"]) == facts["parameters"]


def test_a_family_is_shown_by_its_networks(kkcv: Kkcv) -> None:
    table, facts = kkcv("zoo", "show", "VGG"), kkcv("zoo", "show", "vgg", "--json").json

    assert "arXiv:1409.1556" in table.out
    assert all(row["network"] in table.out for row in facts["networks"])
    assert facts["networks"] == kkcv("zoo", "list", "vgg", "--json").json["networks"]
    assert {row["family"] for row in facts["networks"]} == {facts["family"]} == {"VGG"}


def test_a_diagram_is_an_svg_file(kkcv: Kkcv, tmp_path: Path) -> None:
    said = kkcv("zoo", "draw", "lenet5_1998", "-o", tmp_path / "lenet.svg")

    assert (said.code, said.err) == (0, "drawing lenet5_1998\n")
    root = ElementTree.parse(tmp_path / "lenet.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_extension_says_the_format_of_a_diagram(kkcv: Kkcv, tmp_path: Path) -> None:
    arguments = ("--lang", "zh", "--theme", "dark", "--width", 328)

    said = kkcv("zoo", "draw", "lenet5", "-o", tmp_path / "x.PDF", *arguments)

    assert said.code == 0, said.err
    assert (tmp_path / "x.PDF").read_bytes().startswith(b"%PDF-")


def test_a_png_has_two_pixels_for_each_of_the_layout(kkcv: Kkcv, tmp_path: Path) -> None:
    for theme, paper in (("light", (255, 255, 255)), ("dark", (22, 27, 34))):
        kkcv("zoo", "draw", "lenet5", "-o", tmp_path / "x.png", "--theme", theme)

        with Image.open(tmp_path / "x.png") as picture:
            assert (picture.format, picture.width) == ("PNG", 2 * 640)
            assert picture.convert("RGB").getpixel((40, 4)) == paper


def test_a_diagram_speaks_chinese_on_dark_paper(kkcv: Kkcv, tmp_path: Path) -> None:
    kkcv("zoo", "draw", "lenet5", "-o", tmp_path / "x.svg", "--lang", "zh", "--theme", "dark")

    text = (tmp_path / "x.svg").read_text(encoding="utf-8")
    assert "全连接" in text
    assert "#161b22" in text


def test_networks_are_verified_against_their_papers(kkcv: Kkcv) -> None:
    said = kkcv("zoo", "verify", "lenet5_1998", "mobilenet_v2*", "--json")

    assert said.code == 0
    assert said.json["failed"] == 0
    assert said.json["networks"] == 7
    whats = {(c["network"], c["what"]) for c in said.json["checks"]}
    assert ("mobilenet_v2_1.0", "parameters") in whats


def test_the_speed_of_networks_is_measured(kkcv: Kkcv) -> None:
    said = kkcv("zoo", "bench", "mobilenet_v1_0.25", "--batch", 2, "--json")

    (row,) = said.json["networks"]
    assert row["pictures_a_second"] > 0
    assert row["parameters"] == 470_072


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "resnet51"), "no network 'resnet51' in the zoo; the nearest: resnet50"),
        (("list", "nope*"), "no network matches 'nope*'; see: kkcv zoo list"),
        (("verify", "resnet51"), "no network 'resnet51' in the zoo"),
        (("bench", "nope*"), "no network matches 'nope*'"),
        (("draw", "lenet5", "-o", "/nowhere/x.svg"), "/nowhere/x.svg cannot be written"),
        (("draw", "vgg"), "no network 'vgg' in the zoo; it is a family: vgg11, "),
        (
            ("draw", "lenet5", "-o", "x.gif"),
            "a diagram is a .svg, .png or .pdf file, got '.gif' in x.gif",
        ),
        (
            ("draw", "lenet5", "-o", "lenet"),
            "a diagram is a .svg, .png or .pdf file, such as lenet.svg",
        ),
        (
            ("notebook", "lenet5", "-o", "x.txt"),
            "a notebook is an .ipynb file, got x.txt; such as x.ipynb",
        ),
        (
            ("draw", "lenet5", "-o", "x.png", "--theme", "auto"),
            "--theme auto is for .svg files, got x.png: say light or dark",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    kkcv: Kkcv, arguments: tuple[str, ...], message: str
) -> None:
    said = kkcv("zoo", *arguments)

    assert said.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_in_a_narrow_terminal_names_stay_whole_and_columns_go() -> None:
    import pty

    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "kkcv", "zoo", "list", "resnet*"]
    with subprocess.Popen(command, stdout=theirs, env={**os.environ, "COLUMNS": "80"}) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how a terminal says that it is closed
            while part := os.read(ours, 65536):
                shown += part
    os.close(ours)
    lines = re.sub(r"\x1b\[[\d;]*m", "", shown.decode()).splitlines()

    assert process.returncode == 0
    assert max(map(len, lines)) <= 80
    assert any(line.split()[:2] == ["resnet50_v1.5", "2015"] for line in lines)


@pytest.mark.parametrize("command", ["verify", "bench"])
def test_a_wrong_name_is_refused_before_torch_is_imported(command: str) -> None:
    code = "import sys, kkcv.cli\ntry: kkcv.cli.main()\nfinally: print('torch' in sys.modules)"

    result = subprocess.run(
        [sys.executable, "-c", code, "zoo", command, "resnet51"], capture_output=True, text=True
    )

    assert (result.returncode, result.stdout) == (2, "False\n"), result.stderr
