"""Power losses at random points of recorded lives."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from kkcv.errors import KkcvError
from kkcv.search.folder import connections
from kkcv.search.gallery import Gallery
from kkcv.search.maintenance.backup import backup, restore

from .disk import Disk, Event, laid_out, recording
from .life import Effect, Life, Problem, Told, rows_of, verdict
from .result import Result
from .toy import picture, sha256, toy_embedder

OPERATIONS = 60  # a life


def power_losses(seed: int, losses: int, *, syncing: bool = True) -> Result:
    """Record a life, then lose power at so many points of it, half of them after an answer."""
    chance = np.random.default_rng(seed)
    result = Result("power loss" if syncing else "power loss, syncing off")
    with tempfile.TemporaryDirectory(prefix="kkcv-power-") as home:
        events = recorded_life(Path(home), seed, syncing)
        disk, told, done = Disk(), Told(), 0
        for point in points(events, losses, chance):
            for event in events[done:point]:
                apply(disk, told, event)
            done = point
            found = disk.after_power_loss(chance)
            result.count(after_loss(Path(home), found, told))
        result.acknowledged += told.acknowledged
    return result


def recorded_life(home: Path, seed: int, syncing: bool) -> list[Event]:
    root, photos = home / "disk", home / "photos"
    root.mkdir()
    photos.mkdir()
    with recording(root) as recorder, settings(seed, syncing):

        def tell(word: str, effect: Effect) -> None:
            recorder.events.append(("told", word, effect))

        life = Life(root / "gallery", photos, seed, tell, {})
        for _ in range(OPERATIONS):
            life.step()
        life.gallery.close()
        recorder.on = False
    shutil.rmtree(root)
    if not syncing:
        return [event for event in recorder.events if event[0] not in ("sync", "sync-folder")]
    return recorder.events


@contextmanager
def settings(seed: int, syncing: bool) -> Iterator[None]:
    """Every other life moves its log into the catalog often; syncing can be switched off."""
    connect = connections.connect

    def connected(
        file: Path, wait_seconds: float, way: connections.Way, more_flags: int = 0
    ) -> apsw.Connection:
        connection = connect(file, wait_seconds, way, more_flags)
        if seed % 2:
            connection.execute("PRAGMA wal_autocheckpoint=15")
        if not syncing:
            connection.execute("PRAGMA synchronous=OFF")
        return connection

    connections.connect = connected
    try:
        yield
    finally:
        connections.connect = connect


def points(events: list[Event], losses: int, chance: np.random.Generator) -> list[int]:
    """Half of them anywhere, half of them just after something was acknowledged."""
    acknowledged = [n + 1 for n, event in enumerate(events) if event[:2] == ("told", "ack")]
    anywhere = chance.integers(1, len(events) + 1, losses - losses // 2)
    return sorted([*anywhere.tolist(), *chance.choice(acknowledged, losses // 2).tolist()])


def apply(disk: Disk, told: Told, event: Event) -> None:
    if event[0] == "told":
        told.hear(*event[1:])
    else:
        disk.apply(event)


def after_loss(home: Path, found: dict[str, bytes | None], told: Told) -> list[Problem]:
    """The faults of the gallery when the power is back."""
    root = home / "disk"  # the gallery's files name it
    root.mkdir()
    try:
        laid_out(root, found)
        copy = Told(
            told.created, dict(told.rows), set(told.removed), dict(told.numbers), told.trying
        )
        return verdict(root / "gallery", copy)
    finally:
        shutil.rmtree(root)


def losses_around_a_backup(seed: int, losses: int) -> Result:
    """Power losses while a backup is written and restored: whole, or not there."""
    chance = np.random.default_rng(seed)
    result = Result("power loss, backup and restore")
    with tempfile.TemporaryDirectory(prefix="kkcv-power-") as home:
        root = Path(home, "disk")
        events, rows, numbers = recorded_backup(root, chance)
        disk, said, done = Disk(), set[str](), 0
        for point in points(events, losses, chance):
            for event in events[done:point]:
                if event[0] == "told":
                    said.add(event[2])
                else:
                    disk.apply(event)
            done = point
            laid_out(root, disk.after_power_loss(chance))
            result.count([*whole(root, "backup", said, rows, numbers)])
            result.count([*whole(root, "again", said, rows, numbers)])
            shutil.rmtree(root)
            root.mkdir()
        result.acknowledged += len(said)
    return result


def recorded_backup(
    root: Path, chance: np.random.Generator
) -> tuple[list[Event], dict[int, Any], dict[str, int]]:
    root.mkdir()
    chosen = [int(n) for n in chance.integers(10**6, size=6)]
    with recording(root) as recorder:
        with Gallery.create(root / "gallery", toy_embedder()) as gallery:
            for number in chosen:
                gallery.add(picture(number))
            numbers = {sha256(number): number for number in chosen}
            rows = rows_of(gallery, numbers)
            backup(gallery, root / "backup")
            recorder.events.append(("told", "ack", "backup"))
        restore(root / "backup", root / "again").close()
        recorder.events.append(("told", "ack", "again"))
        recorder.on = False
    shutil.rmtree(root)
    root.mkdir()
    return recorder.events, rows, numbers


def whole(
    root: Path, name: str, said: set[str], rows: dict[int, Any], numbers: dict[str, int]
) -> Iterator[Problem]:
    """The backup, or the gallery restored from it, is all there, or not there."""
    path = root / name
    if not path.exists():
        if name in said:
            yield Problem("lost", f"the {name} was acknowledged")
        return
    if name == "again" and not any(path.iterdir()):
        return
    try:
        opened = restore(path, root / "tried") if name == "backup" else Gallery.open(path)
    except KkcvError as error:
        yield Problem("lost", f"the {name} is there, but half: {error}")
        return
    with opened, nullcontext(rows_of(opened, numbers)) as found:
        if found != rows:
            yield Problem("lost", f"the {name} holds {found}, not {rows}")
        for picture_there in opened.pictures():
            opened.read(picture_there)
