"""The page that shows an engine says of each method whether an engine must provide it."""

import inspect
import re

import pytest

from kkcv.search import engine

from .shown_engine import PAGE

ROWS = [line.strip("| ").split(" | ") for line in PAGE.read_text("utf-8").splitlines()]
TABLE = {cells[0].strip("`"): cells[1:] for cells in ROWS if len(cells) == 3 and "`" in cells[0]}
CLASSES = {name: kind for name, kind in vars(engine).items() if inspect.isclass(kind)}


def test_the_table_has_every_class() -> None:
    assert set(TABLE) == set(CLASSES)


@pytest.mark.parametrize("name", TABLE)
def test_the_table_tells_what_an_engine_must_provide(name: str) -> None:
    kind = CLASSES[name]
    inherited = {m for base in kind.__bases__ for m in dir(base)}
    public = {m for m in vars(kind) if not m.startswith("_") and m not in inherited}
    methods = {m for m in public if callable(getattr(kind, m)) or m == "wants_rebuild"}
    required = {m for m in methods if m in getattr(kind, "__abstractmethods__", ())}

    must, has_default = (set(re.findall(r"`(\w+)`", cell)) for cell in TABLE[name])

    assert must == required
    assert has_default == methods - required
