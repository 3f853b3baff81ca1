"""A process that writes and is killed at random instants, over and over, on the same gallery."""

import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from .life import Effect, Life, Told, as_json, from_json, verdict
from .result import Result

LIVES = 20  # kills of one gallery, before the next is begun
STEPS = 20  # of a life, on average
PATIENCE = 60.0  # seconds for a writer to say something


def kills(seed: int, number: int) -> Result:
    """Kill a writer so many times; after each, what it acknowledged must be there."""
    result = Result("kill -9")
    chance = np.random.default_rng(seed)
    context = multiprocessing.get_context("forkserver")  # one that has imported everything
    context.set_forkserver_preload([__name__])
    for begun in range(0, number, LIVES):
        told = Told()
        with tempfile.TemporaryDirectory(prefix="kkcv-kills-") as home:
            for life in range(begun, min(begun + LIVES, number)):
                lived(context, Path(home), seed * 10_000 + life, told, chance)
                result.count(verdict(Path(home, "gallery"), told))
        result.acknowledged += told.acknowledged
    return result


def lived(
    context: multiprocessing.context.ForkServerContext,
    home: Path,
    seed: int,
    told: Told,
    chance: np.random.Generator,
) -> None:
    """One life, from its beginning to its sudden end."""
    ours, theirs = context.Pipe(duplex=False)
    writer = context.Process(target=write, args=(home, seed, theirs, told.numbers))
    writer.start()
    theirs.close()
    wanted = int(chance.integers(2 * STEPS))
    heard = 0
    while heard < wanted and ours.poll(PATIENCE):
        heard += hear(ours, told)
    time.sleep(chance.uniform(0, 0.01))
    writer.kill()
    while hear(ours, told):
        pass
    writer.join()
    ours.close()
    if writer.exitcode != -9:
        raise RuntimeError(f"the writer ended by itself: exit code {writer.exitcode}")


def hear(ours: Connection, told: Told) -> bool:
    try:
        told.hear(*from_json(ours.recv_bytes()))
    except (EOFError, OSError):  # killed in the middle of a word
        return False
    return True


def write(home: Path, seed: int, say: Connection, numbers: dict[str, int]) -> None:
    """Live until killed; every word is on its way to the other before the next step."""

    def tell(word: str, effect: Effect) -> None:
        say.send_bytes(as_json(word, effect))

    photos = home / "photos"
    photos.mkdir(exist_ok=True)
    life = Life(home / "gallery", photos, seed, tell, numbers)
    while True:
        life.step()
