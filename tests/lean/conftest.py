"""An environment with the packages of the core alone: without torch, OpenVINO or any extra.

It is made of links to the packages of this environment, chosen by what pyproject.toml and the
packages themselves require, so it costs no installation.
"""

import json
import os
import re
import subprocess
import tomllib
import venv
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


class Said(NamedTuple):
    code: int
    out: str
    err: str

    def json(self) -> dict[str, object]:
        return dict(json.loads(self.out))


def required(names: list[str]) -> Iterator[Distribution]:
    """The distributions of these requirements, with all that they require themselves."""
    wanted, seen = [Requirement(name) for name in names], set[tuple[str, str]]()
    while wanted:
        requirement = wanted.pop()
        for extra in ("", *requirement.extras):
            key = (re.sub(r"[-_.]+", "-", requirement.name).lower(), extra)
            if key in seen:
                continue
            seen.add(key)
            found = distribution(requirement.name)
            yield found
            for text in found.requires or ():
                other = Requirement(text)
                if other.marker is None or other.marker.evaluate({"extra": extra}):
                    wanted.append(other)


def link(packages: Path, found: Distribution) -> None:
    """Each file or folder that a distribution has at the top of site-packages."""
    for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
        if not (packages / top).exists() and top != "__pycache__":
            (packages / top).symlink_to(Path(str(found.locate_file(top))))


def linked(folder: Path, *extras: str) -> Path:
    """The Python of a new environment with the core and some of its extras."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    added = [name for extra in extras for name in project["optional-dependencies"][extra]]
    for found in required(project["dependencies"] + added):
        link(packages, found)
    (packages / "kkcv").symlink_to(ROOT / "kkcv")
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def lean_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the core."""
    return linked(tmp_path_factory.mktemp("lean") / "env")


@pytest.fixture(scope="session")
def page_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the core with the page and Parquet, which need no torch either."""
    return linked(tmp_path_factory.mktemp("page") / "env", "web", "parquet")


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a fresh machine: an empty cache, nothing chosen, and no network."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KKCV_")}
    return {
        **kept,
        "KKCV_CACHE": str(tmp_path_factory.mktemp("cache")),
        "KKCV_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def lean(
    lean_python: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Said]:
    """``lean("search", gallery, picture)`` → exit code and output of the command line."""
    home = tmp_path_factory.mktemp("home")

    def run(*arguments: object) -> Said:
        done = subprocess.run(
            [lean_python, "-m", "kkcv", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=home,
            env=environment,
            timeout=120,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def in_lean_python(lean_python: Path, environment: dict[str, str]) -> Callable[[str], str]:
    """The output of a program there."""

    def run(code: str) -> str:
        return subprocess.check_output([lean_python, "-c", code], text=True, env=environment)

    return run
