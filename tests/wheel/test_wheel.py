"""The wheel works without the checkout. ``make wheel-test`` tries it in an empty environment."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from .building import ROOT, build
from .use import USES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    tracked = subprocess.check_output(["git", "ls-files", "kkcv"], cwd=ROOT, text=True)

    held = zipfile.ZipFile(wheel).namelist()

    assert set(tracked.split()) == {name for name in held if name.startswith("kkcv/")}


def test_what_is_unpacked_is_used_end_to_end_without_the_checkout(
    wheel: Path, tmp_path: Path
) -> None:
    """The dependencies are those of this environment."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    work = tmp_path / "work"
    work.mkdir()
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "ROOT": str(ROOT)}

    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("use.py"), "core"],
        cwd=work,
        env=env,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr


def test_every_extra_is_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert USES.keys() - {"core"} == project["optional-dependencies"].keys() - {"dev", "bench"}
