"""Environment variables have one reader, and these defaults."""

import ast
from pathlib import Path

import pytest

from kkcv.environment import cache_folder, model_hub, offline

OFFLINE = ("KKCV_OFFLINE", "HF_HUB_OFFLINE")


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/ada")

    monkeypatch.setenv("KKCV_CACHE", "~/weights")
    assert cache_folder() == Path("/home/ada/weights")

    monkeypatch.setenv("KKCV_CACHE", "")
    assert cache_folder() == Path("/var/cache/ada/kkcv")

    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/home/ada/.cache/kkcv")


@pytest.mark.parametrize("name", OFFLINE)
def test_either_variable_forbids_downloads(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for each in OFFLINE:
        monkeypatch.delenv(each, raising=False)
    assert not offline()

    for value in ("1", "yes", "TRUE"):
        monkeypatch.setenv(name, value)
        assert offline() == name
    for value in ("0", "", "no", "False"):
        monkeypatch.setenv(name, value)
        assert not offline()


def test_the_hub_can_be_a_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert model_hub() == "https://huggingface.co"

    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert model_hub() == "https://mirror.example"


def test_nothing_else_reads_the_environment() -> None:
    package = Path(__file__).parents[1] / "kkcv"
    readers = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node, "attr", getattr(node, "name", ""))  # os.environ, or imported alone
            if getattr(getattr(node, "value", None), "id", "") == "request":
                continue  # what a WSGI server tells of a request
            if name in ("environ", "environb", "getenv", "putenv"):
                readers.add(path.relative_to(package).as_posix())

    assert readers == {"environment.py"}
