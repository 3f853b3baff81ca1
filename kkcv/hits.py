"""The answer to one query: a list of hits that reads well, and becomes a table elsewhere."""

import csv
import io
import json
from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from kkcv.disk import atomic_write, write_file
from kkcv.errors import KkcvError, PictureError
from kkcv.extras import need
from kkcv.hit import FIELDS, Hit, divider_of
from kkcv.notebook import thumbnails

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 20  # rows of the text, and thumbnails
SIDE = 192  # of a thumbnail in a notebook, pixels

# Of an answer without any, and of hits beyond the divider; by whether copies were asked for.
ENDS = {
    False: ("nothing like it here", "no more alike than chance would have it"),
    True: ("no copy of it was confirmed here", "not confirmed"),
}


class Hits(list[Hit]):
    """The hits of one query, best first: a list, with a table as its text.

    Among the answers to many queries, one whose picture could not be read has no hits, and the
    ``error`` says why.

    ``divider`` is the rank after which hits are no more alike than chance would have it in their
    gallery, 0 if nothing is like the query; None where that is not known. Where ``copies`` were
    asked for, it is the rank of the last confirmed copy, 0 if none was confirmed.
    """

    def __init__(
        self,
        hits: Iterable[Hit] = (),
        error: KkcvError | None = None,
        divider: int | None = None,
        copies: bool = False,
    ) -> None:
        """``divider`` is given for hits that lack their ``likeness`` or ``match``."""
        super().__init__(hits)
        self.error = error
        self.copies = copies
        self.divider = divider_of(self, copies) if divider is None else divider

    @property
    def ids(self) -> list[int]:
        return [hit.id for hit in self]

    @overload
    def __getitem__(self, key: SupportsIndex) -> Hit: ...

    @overload
    def __getitem__(self, key: slice) -> "Hits": ...

    def __getitem__(self, key: SupportsIndex | slice) -> "Hit | Hits":
        if isinstance(key, slice):
            found = super().__getitem__(key)
            return Hits(found, self.error, self._divider_within(key), self.copies)
        return super().__getitem__(key)

    def _divider_within(self, key: slice) -> int | None:
        """The divider of a slice; None if its hits have the fields that tell it."""
        if self.divider is None or self.divider == divider_of(self, self.copies):
            return None
        places = enumerate(range(len(self))[key], 1)
        return max((rank for rank, place in places if place < self.divider), default=0)

    def __repr__(self) -> str:
        if not self:
            return f"Hits: none ({self.error})" if self.error else "Hits: none"
        width = max(len("id"), *(len(str(hit.id)) for hit in self[:SHOWN]))
        lines = [f"rank   score  {'id':>{width}}  path"]
        for rank, hit in enumerate(self[:SHOWN], 1):
            lines.append(f"{rank:>4}  {hit.score:>6.4f}  {hit.id:>{width}}  {hit.path}")
        if len(self) > SHOWN:
            lines.append(f"… {len(self):,} hits")
        none, beyond = ENDS[self.copies]
        if self.divider == 0:
            lines.append(f"{none}; the nearest are {beyond}")
        elif self.divider and self.divider < len(self):
            lines.append(f"from rank {self.divider + 1} on {beyond}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Thumbnails with scores, for notebooks."""
        if not self:
            return f"<pre>{self!r}</pre>"
        return thumbnails(
            (thumbnail(hit.path), f"{hit.score:.3f} · {Path(hit.path).name}", f"id {hit.id}")
            for hit in self[:SHOWN]
        )

    def to_dicts(self) -> list[dict[str, Any]]:
        """A row for each hit: its rank from 1, its fields, and each key of the metadata.

        A key that is the name of a field becomes ``metadata.KEY``. ``url`` is left out where no
        service gave one.
        """
        fields = [f for f in FIELDS if f != "metadata" and (f != "url" or any(h.url for h in self))]
        taken = {"rank", *fields}
        keys = dict.fromkeys(key for hit in self for key in hit.metadata)
        names = {key: f"metadata.{key}" if key in taken else key for key in keys}
        return [
            {
                "rank": rank,
                **{name: getattr(hit, name) for name in fields},
                **{name: hit.metadata.get(key) for key, name in names.items()},
            }
            for rank, hit in enumerate(self, 1)
        ]

    def to_pandas(self) -> "pd.DataFrame":
        """The rows of ``to_dicts`` as a data frame (MissingExtra)."""
        need("pandas")
        import pandas as pd

        return pd.DataFrame(self.to_dicts())

    def to_csv(self, file: str | PathLike[str] | None = None) -> str:
        """The rows of ``to_dicts`` as CSV, which is also written into a file if one is named.

        Lists and objects are JSON in their cells.
        """
        rows = self.to_dicts()
        text = io.StringIO()
        table = csv.DictWriter(text, list(rows[0]) if rows else ["rank", *FIELDS])
        table.writeheader()
        table.writerows({name: plain(value) for name, value in row.items()} for row in rows)
        if file is not None:
            write_file(Path(fspath(file)), text.getvalue().encode())
        return text.getvalue()

    def to_parquet(self, file: str | PathLike[str]) -> None:
        """Write the rows of ``to_dicts`` into a Parquet file (MissingExtra).

        A column whose values are of several types is text: JSON.
        """
        need("pyarrow")
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = self.to_dicts()
        columns = {}
        for name in rows[0] if rows else ("rank", *FIELDS):
            values = [plain(row[name]) for row in rows]
            try:
                columns[name] = pa.array(values)
            except pa.ArrowException:
                columns[name] = pa.array([None if v is None else json.dumps(v) for v in values])
        with atomic_write(Path(fspath(file))) as part:
            pq.write_table(pa.table(columns), part)


def plain(value: Any) -> Any:
    """A value for one cell of a table: lists and objects as JSON."""
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def thumbnail(path: str) -> bytes | None:
    """A small JPEG of a file; None where it cannot be read."""
    from kkcv.images.decode import decode_small
    from kkcv.images.thumbnails import shrink

    try:
        return shrink(decode_small(path, SIDE), SIDE)
    except PictureError:
        return None
