"""The engine below a gallery: it keeps the rows and finds the nearest vectors.

A row is a picture and its vector. An engine provides what is abstract here. Everything else is
answered from that, more slowly; an engine overrides what it does better.

    Engine        opens and creates galleries (engine.py)
    Catalog       transactions over the rows, the source of truth (catalog.py)
    Reader        questions inside one; Writer: questions and changes
    Index         the nearest vectors (index.py)
    NextVectors   the vectors of another network, beside the rows, until they are swapped in

entries.py has what an index holds of a row; projection.py, tuning.py and kept.py what three
settings mean.

After a removal no process finds the picture any more, and what was acknowledged is on a disk.
Everything is safe to use from several threads, but a Reader or Writer belongs to the thread that
opened it. docs/howto/add-engine.md has a complete engine; tests/search/test_contract.py has the
promises.
"""

from .catalog import CHUNK as CHUNK
from .catalog import WAIT_SECONDS as WAIT_SECONDS
from .catalog import Catalog as Catalog
from .catalog import Reader as Reader
from .catalog import Vectors as Vectors
from .catalog import Writer as Writer
from .catalog import by_id as by_id
from .catalog import locked as locked
from .catalog import no_gallery as no_gallery
from .engine import Engine as Engine
from .engine import NextVectors as NextVectors
from .index import Index as Index
