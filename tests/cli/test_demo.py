"""kkcv demo: the main job, with an answer that is checked."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Said

Kkcv = Callable[..., Said]


@pytest.fixture(scope="module")
def shown(kkcv: Kkcv, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A folder in which the demo ran, and its output. Copy the folder to change it."""
    folder = tmp_path_factory.mktemp("shown")
    return folder, kkcv("demo", cwd=folder)


@pytest.fixture
def after_a_demo(shown: tuple[Path, Said], tmp_path: Path) -> Path:
    """A folder of the test's own, with what the demo wrote into the current one."""
    return Path(shutil.copytree(shown[0], tmp_path / "after"))


def test_the_demo_finds_the_original_of_a_disturbed_copy(shown: tuple[Path, Said]) -> None:
    folder, said = shown

    assert said.code == 0, said.err
    assert "chelsea.png, which should come first" in said.out
    assert "found: it came first" in said.out
    assert "serve demo-out/gallery" in said.out
    assert "web demo-out/gallery" in said.out
    with Image.open(folder / "demo-out" / "sheet.png") as sheet:
        assert sheet.width > 600


def test_the_demo_fails_loudly_when_another_picture_comes_first(
    kkcv: Kkcv, after_a_demo: Path
) -> None:
    """The gallery already holds the disturbed copy itself."""
    kkcv("index", "demo-out/gallery", "demo-out/query.jpg", cwd=after_a_demo)

    said = kkcv("demo", cwd=after_a_demo)

    assert said.code == 1
    assert "FAILED" in said.err
    assert "query.jpg came first" in said.err


def test_the_demo_runs_on_the_users_own_folder(
    kkcv: Kkcv, after_a_demo: Path, pictures: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "my pictures"
    mine.mkdir()
    for path in sorted((pictures / "cats_dogs" / "val" / "cats").iterdir())[:4]:
        shutil.copy(path, mine)

    said = kkcv("demo", "--images", mine, cwd=after_a_demo)

    assert said.code == 0, said.err
    assert "found: it came first" in said.out
    held = kkcv("stats", "demo-out/gallery", "--json", cwd=after_a_demo).json["pictures"]
    assert held == 4  # none of the photographs of the demo before
