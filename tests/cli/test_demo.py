"""kkcv demo: the main job, with an answer that is checked."""

import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from .conftest import Said

Kkcv = Callable[..., Said]


def test_the_demo_finds_the_original_of_a_disturbed_copy(kkcv: Kkcv, tmp_path: Path) -> None:
    said = kkcv("demo", cwd=tmp_path)

    assert said.code == 0, said.err
    assert "chelsea.png, which should come first" in said.out
    assert "found: it came first" in said.out
    assert "serve demo-out/gallery" in said.out
    assert "web demo-out/gallery" in said.out
    with Image.open(tmp_path / "demo-out" / "sheet.png") as sheet:
        assert sheet.width > 600


def test_the_demo_fails_loudly_when_another_picture_comes_first(kkcv: Kkcv, tmp_path: Path) -> None:
    """The gallery already holds the disturbed copy itself."""
    kkcv("demo", cwd=tmp_path)
    kkcv("index", "demo-out/gallery", "demo-out/query.jpg", cwd=tmp_path)

    said = kkcv("demo", cwd=tmp_path)

    assert said.code == 1
    assert "FAILED" in said.err
    assert "query.jpg came first" in said.err


def test_the_demo_runs_on_the_users_own_folder(kkcv: Kkcv, pictures: Path, tmp_path: Path) -> None:
    mine = tmp_path / "my pictures"
    mine.mkdir()
    for path in sorted((pictures / "cats_dogs" / "val" / "cats").iterdir())[:4]:
        shutil.copy(path, mine)

    kkcv("demo", cwd=tmp_path)
    said = kkcv("demo", "--images", mine, cwd=tmp_path)

    assert said.code == 0, said.err
    assert "found: it came first" in said.out
    held = kkcv("stats", "demo-out/gallery", "--json", cwd=tmp_path).json["pictures"]
    assert held == 4  # none of the photographs of the demo before
