"""The documentation site builds without a fault, loads nothing from elsewhere, and is searched."""

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kkcv.zoo.registry import FAMILIES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built in strict mode: a lost link, anchor or page fails it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_family_has_its_page_in_both_languages(site: Path) -> None:
    for name in (module.FAMILY.name for module in FAMILIES):
        assert (site / "zoo" / f"{name}.html").is_file()
        assert (site / "zh" / "zoo" / f"{name}.html").is_file()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loads = r"<(?:script|img|iframe)[^>]*\ssrc=\"?https?:|<link[^>]*stylesheet[^>]*https?:|@import"

    asking = [
        str(path.relative_to(site))
        for path in site.rglob("*")
        if path.suffix in (".html", ".css")
        if re.search(loads, path.read_text(encoding="utf-8"))
    ]

    assert not asking


@pytest.mark.browser
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("reindex", "Change the network of a gallery"),
        ("余弦相似度", "十分钟"),
        ("degradation residual", "ResNet"),
        ("倒置残差", "MobileNet v2"),
    ],
)
def test_the_search_works_from_the_disk(
    asked: str, found: str, site: Path, chromium: "Browser"
) -> None:
    page = chromium.new_page()
    page.goto((site / "index.html").as_uri())

    page.get_by_role("textbox", name="Search").fill(asked)

    page.locator(".md-search-result__item", has_text=found).first.wait_for()
    page.close()
