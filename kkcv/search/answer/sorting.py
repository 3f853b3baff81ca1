"""Hits by date instead of by score, newest first."""

from collections.abc import Sequence

from kkcv.hit import LOWEST, Hit
from kkcv.metadata import EXIF
from kkcv.search.engine import Reader
from kkcv.search.options import SearchOptions

DEEPEST = 1000  # hits that are sorted at most


def depth(k: int, options: SearchOptions) -> int:
    """How many hits are sorted: all inside of a cut-off, else the k nearest ones."""
    cut_off = options.min_score > LOWEST or options.max_chance is not None
    return max(k, DEEPEST) if options.sort and cut_off else k


def sorted_hits(rows: Reader, hits: Sequence[Hit], by: str | None) -> list[Hit]:
    """Newest first, and those without a date last; by score where ``by`` is None."""
    if by is None:
        return list(hits)
    dates: dict[int, float | str]
    if by == "added":
        dates = {p.id: p.added_seconds for p in rows.pictures(hit.id for hit in hits)}
    else:
        dates = {hit.id: date for hit in hits if (date := taken(hit))}
    known = sorted((h for h in hits if h.id in dates), key=lambda h: dates[h.id], reverse=True)
    return known + [hit for hit in hits if hit.id not in dates]


def taken(hit: Hit) -> str:
    """When the photograph was taken, which sorts as text; empty if that is not known."""
    exif = hit.metadata.get(EXIF)
    date = exif.get("taken") if isinstance(exif, dict) else None
    return date if isinstance(date, str) else ""
