"""Benchmarks start: what they take from kkcv is there, and a wrong argument is said in one line."""

import argparse
import ast
from pathlib import Path

import pytest

from benchmarks.command import existing, pictures_in, run, some_of
from kkcv.checkpoint import resolve

ROOT = Path(__file__).parents[1]
BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_names_that_a_benchmark_imports_are_there(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]

    for node in imports:
        source = source_of((node.module or "").split("."))
        if source is not None and node.level == 0:
            for alias in node.names:
                assert alias.name in names_in(source), f"{node.module} has no {alias.name}"


def source_of(module: list[str]) -> Path | None:
    """The file of a module of this project."""
    place = ROOT.joinpath(*module)
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in files if file.is_file()), None) if module[0] else None


def names_in(source: Path) -> set[str]:
    """Names at the top of a module, and the modules beside an ``__init__``."""
    names = {file.stem for file in source.parent.glob("*")} if source.stem == "__init__" else set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
    return names


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda: resolve("nosuch"), "no network 'nosuch' in the zoo"),
        (lambda: pictures_in([ROOT / "kkcv/cli"]), "there are no pictures in"),
        (lambda: Path("nowhere.csv").read_text(), "nowhere.csv"),
        (lambda: parsed("nowhere"), "argument folder: no file or folder nowhere"),
        (lambda: parsed(".", "--rows", "a,c"), "argument --rows: no 'c'; there are: a, b"),
    ],
)
def test_a_wrong_argument_is_one_line(
    work: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        run(work)  # type: ignore[arg-type]

    assert exit.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def parsed(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=existing)
    parser.add_argument("--rows", type=some_of("ab"))
    parser.parse_args(arguments)
