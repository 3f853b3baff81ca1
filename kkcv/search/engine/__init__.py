"""The engine below a gallery: it keeps the rows and finds the nearest vectors.

A row is a picture and its vector. An engine provides what is abstract here. Everything else is
answered from that, more slowly; an engine overrides what it does better.

    Engine        opens and creates galleries (engine.py)
    Catalog       transactions over the rows, the source of truth (catalog.py)
    Reader        questions inside one; Writer: questions and changes
    Index         the nearest vectors (index.py)
    NextVectors   the vectors of another network, beside the rows, until they are swapped in

entries.py has what an index holds of a row, projection.py and tuning.py what two settings mean.

After a removal no process finds the picture any more, and what was acknowledged is on a disk.
Everything is safe to use from several threads, but a Reader or Writer belongs to the thread that
opened it. docs/howto/add-engine.md has a complete engine; tests/search/test_contract.py has the
promises.
"""

from .catalog import (
    CHUNK,
    KEPT,
    WAIT_SECONDS,
    Catalog,
    Reader,
    Vectors,
    Writer,
    by_id,
    kept_at,
    locked,
    no_gallery,
)
from .engine import Engine, NextVectors
from .index import Index

__all__ = [
    "CHUNK",
    "KEPT",
    "WAIT_SECONDS",
    "Catalog",
    "Engine",
    "Index",
    "NextVectors",
    "Reader",
    "Vectors",
    "Writer",
    "by_id",
    "kept_at",
    "locked",
    "no_gallery",
]
