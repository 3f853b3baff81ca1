"""The manifest of a finished shard: a JSON file that makes the Parquet file beside it valid."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from kkcv.disk import atomic_write, has_hash
from kkcv.search.importing import Reject

from .plan import Plan, Shard

FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """The result of a shard and how it was made. ``sha256`` is of the Parquet file."""

    list_sha256: str
    fingerprint: str
    runtime: str
    precision: str
    vectors: str
    sha256: str
    embedded: int
    rejects: tuple[Reject, ...]

    def of(self, plan: Plan, shard: Shard) -> bool:
        """Whether it was made from this shard, by this plan's network and runtime."""
        by = (self.fingerprint, self.runtime, self.precision, self.vectors)
        return self.list_sha256 == shard.sha256 and by == made_by(plan)


def made_by(plan: Plan) -> tuple[str, str, str, str]:
    """Everything besides the pictures that decides the bits of the vectors."""
    return plan.space.fingerprint, *plan.choice, plan.settings["vectors"]


def write_manifest(file: Path, manifest: Manifest) -> None:
    rejects = [reject._asdict() for reject in manifest.rejects]
    document = {"format": FORMAT, **asdict(manifest), "rejects": rejects}
    with atomic_write(file) as part:
        part.write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")


def finished(plan: Plan, shard: Shard, folder: Path) -> Manifest | None:
    """The manifest of a shard; None if it is not finished or its files are damaged."""
    done = read_manifest(folder / f"{shard.name}.json")
    if done is None or not done.of(plan, shard):
        return None
    return done if has_hash(folder / f"{shard.name}.parquet", done.sha256) else None


def read_manifest(file: Path) -> Manifest | None:
    """The manifest in a file; None if there is no valid one."""
    try:
        document = json.loads(file.read_bytes())
        if document.pop("format") > FORMAT:  # of a newer kkcv: as if there was none
            return None
        rejects = tuple(Reject(**reject) for reject in document.pop("rejects"))
        return Manifest(**document, rejects=rejects)
    except (OSError, ValueError, KeyError, TypeError):
        return None
