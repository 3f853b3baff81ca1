"""Changes of the pictures of a run since it began."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from kkcv.embedding.pipeline import ahead
from kkcv.errors import PictureError
from kkcv.images.source import read_bytes
from kkcv.timing import Progress, no_progress

from .labelled import LabelledData, Picture

NAMED = 3  # paths of each kind that are named


@dataclass(frozen=True)
class Changes:
    """Paths of pictures, by how they differ from what they were."""

    replaced: list[str]
    added: list[str]
    gone: list[str]
    relabelled: list[str]  # or moved to another part by a table

    def __bool__(self) -> bool:
        return any(vars(self).values())

    def __str__(self) -> str:
        """``30 replaced (a/0.jpg, a/1.jpg, a/2.jpg, …), 1 gone (b/7.jpg)``."""
        return ", ".join(
            f"{len(paths)} {how} ({', '.join(paths[:NAMED])}{', …' if len(paths) > NAMED else ''})"
            for how, paths in vars(self).items()
            if paths
        )


def changes_since(
    before: Sequence[Picture],
    left_out: Sequence[str],
    now: LabelledData,
    *,
    threads: int | None = None,
    progress: Progress = no_progress,
) -> Changes:
    """The differences between the pictures of a run and those that are there now.

    Args:
        before: each with its sha256.
        left_out: paths that could not be read when the run began.
        now: the same data, read again.
    """
    known = {picture.path: picture for picture in before}
    present = {picture.path: picture for picture in now.pictures}
    common = [path for path in known if path in present]

    def content(path: str) -> str:
        return hashlib.sha256(read_bytes(now.root / path)).hexdigest()

    replaced, gone = [], [path for path in known if path not in present]
    for done, (path, result) in enumerate(ahead(content, common, threads=threads), 1):
        if isinstance(result, PictureError):
            gone.append(path)  # its link is broken, or it cannot be read any more
        elif result != known[path].sha256:
            replaced.append(path)
        progress(done, len(common))
    return Changes(
        replaced=replaced,
        added=sorted(set(present) - set(known) - set(left_out)),
        gone=gone,
        relabelled=[path for path in common if differs(known[path], present[path])],
    )


def differs(before: Picture, now: Picture) -> bool:
    return before.label != now.label or now.part not in ("", before.part)
