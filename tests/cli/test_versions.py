"""``kkcv --version`` tells what a report of a fault needs."""

import platform
from collections.abc import Callable
from importlib.metadata import version

import apsw

import kkcv as package

from .conftest import Said


def test_the_versions_that_matter_are_shown(kkcv: Callable[..., Said]) -> None:
    said = kkcv("--version")

    shown = dict(line.split(maxsplit=1) for line in said.out.splitlines())
    assert said.code == 0
    assert shown["kkcv"] == package.__version__
    assert shown["python"].startswith(platform.python_version())
    assert shown["sqlite"] == apsw.sqlite_lib_version()
    for name in ("torch", "faiss-cpu", "openvino"):
        assert shown[name] == version(name)
