"""The wheel, and environments to try it in, each without a trace of the checkout."""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]


def build(folder: Path) -> Path:
    """The wheel, made from the files of the checkout."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    with tempfile.TemporaryDirectory() as copy:  # what is not tracked stays out
        source = Path(copy) / "kkcv"
        tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
        for name in filter(None, tracked.split("\0")):
            if name.startswith("kkcv/") or "/" not in name:
                (source / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, source / name)
        subprocess.run([*pip, "--wheel-dir", folder, source], check=True)
    (wheel,) = folder.glob("kkcv-*.whl")
    return wheel


def environment(folder: Path, *, over: Path | None = None) -> Path:
    """The Python of a new environment; it sees the packages of another one that it lies over."""
    venv.create(folder, with_pip=over is None, symlinks=True)
    if over is not None:
        (packages(folder) / "over.pth").write_text(f"{packages(over)}\n")
    return folder / "bin" / "python"


def packages(folder: Path) -> Path:
    (found,) = folder.glob("lib/python*/site-packages")
    return found


def install(pip: Path, python: Path, *what: str) -> None:
    """With the pinned versions, by the pip of one environment into another."""
    command = [pip, "-m", "pip", "--python", python, "install", "--quiet"]
    constraints = {"PIP_CONSTRAINT": str(ROOT / "constraints.txt")}
    subprocess.run(
        [*command, "--disable-pip-version-check", *what],
        check=True,
        env={**os.environ, **constraints},
    )
