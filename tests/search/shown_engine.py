"""The engine that docs/howto/add-engine.md shows."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from kkcv.search.engines import ENGINES
from tests.shown import blocks

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "add-engine.md"


@contextmanager
def shown_engine() -> Iterator[str]:
    """Its scheme, while it is one of the engines."""
    (source,) = [b.text for b in blocks(PAGE.read_text("utf-8")) if b.language == "python"]
    module = ModuleType("kkcv.search.json_engine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        exec(compile(source, str(PAGE), "exec"), module.__dict__)
        patch.setitem(ENGINES, "json", lambda: module.JsonEngine)
        yield "json"
