"""The reference in the repository is what the code says today."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("python.md", "cli.md", "http.md", "options.md")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, ROOT / "docs/write_reference.py", folder], check=True, cwd=ROOT)
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_reference_is_up_to_date(written: Path, page: str) -> None:
    shown = (ROOT / "docs" / "reference" / page).read_text("utf-8")

    assert shown == (written / page).read_text("utf-8"), "run: make docs-reference"


def test_what_the_package_offers_is_in_the_reference() -> None:
    import kkcv

    page = (ROOT / "docs" / "reference" / "python.md").read_text("utf-8")

    objects = set(kkcv.__all__) - {"zoo", "__version__", "KkcvError"}
    assert {name for name in objects if f"### {name}\n" not in page} == set()
    assert "- `KkcvError`" in page
