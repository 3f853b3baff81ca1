"""embed and index --from, as a user types them and as a scheduler kills them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kkcv.search.gallery import Gallery

from .conftest import Said

Kkcv = Callable[..., Said]

# A worker that stops where it is told to, so that it can be killed: at its nth file, written as far
# as it goes, but without its name.
MORTAL = """
import sys, time
from contextlib import contextmanager
from kkcv import disk
from kkcv.search.exchange import manifest
from kkcv.search.exchange import shards

left = int(sys.argv.pop(1))

@contextmanager
def atomic_write(target):
    global left
    with disk.atomic_write(target) as part:
        yield part
        if left == 0:
            print("here", flush=True)
            time.sleep(600)
        left -= 1

shards.atomic_write = manifest.atomic_write = atomic_write
from kkcv.cli import main
main()
"""


@pytest.fixture(scope="module")
def photos(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pictures, and a file that is not one."""
    folder = tmp_path_factory.mktemp("photos")
    for kind in ("cats", "dogs"):
        (folder / kind).mkdir()
        for path in sorted((pictures / "cats_dogs" / "val" / kind).iterdir())[:12]:
            shutil.copy2(path, folder / kind)
    (folder / "dogs" / "notes.jpg").write_text("this is text")
    return folder


@pytest.fixture(scope="module")
def plan(kkcv: Kkcv, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plans") / "photos.plan"
    said = kkcv("embed", "--plan", folder, photos, "--shard-pictures", 3, "--json")
    assert said.code == 0, said.err
    assert (said.json["shards"], said.json["pictures"]) == (9, 25)
    return folder


@pytest.fixture(scope="module")
def vectors(kkcv: Kkcv, plan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that one process makes of the plan."""
    out = tmp_path_factory.mktemp("vectors")
    said = kkcv("embed", plan, "--out", out, "--json")
    assert said.code == 0, said.err
    assert said.json == {
        "worker": "0/1",
        "shards": 9,
        "skipped": 0,
        "embedded": 24,
        "rejected": 1,
        "out": str(out),
    }
    return out


def start(*args: object, dies_at: int | None = None, **environment: str) -> subprocess.Popen[str]:
    program = ["-m", "kkcv"] if dies_at is None else ["-c", MORTAL, str(dies_at)]
    return subprocess.Popen(
        [sys.executable, *program, *map(str, args)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def contents(folder: Path) -> list[tuple[object, ...]]:
    """All that a gallery knows, with the bits of the vectors."""
    with Gallery.open(folder) as gallery, gallery.catalog.reading() as rows:
        vectors = {
            int(id): vector.tobytes()
            for ids, chunk in rows.vectors()
            for id, vector in zip(ids, chunk, strict=True)
        }
        return [(p.id, p.file, p.metadata, vectors[p.id]) for p in rows.pictures()]


def test_four_workers_two_of_them_killed_make_the_gallery_that_one_makes(
    kkcv: Kkcv, plan: Path, vectors: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    # Worker 0 has three shards, so six files: killed within the vectors of its second shard.
    # Worker 2 has two: killed between the vectors of its second shard and the list beside them.
    deaths: dict[int, int | None] = {0: 2, 1: None, 2: 3, 3: None}
    workers = {
        i: start("embed", plan, "--out", out, "--shard", f"{i}/4", dies_at=death)
        for i, death in deaths.items()
    }
    for i in (0, 2):
        assert workers[i].stdout is not None
        assert workers[i].stdout.readline() == "here\n"
        workers[i].send_signal(signal.SIGKILL)
    for i, worker in workers.items():
        _, error = worker.communicate(timeout=300)
        assert worker.returncode == (0 if deaths[i] is None else -signal.SIGKILL), error
    assert len(list(out.glob("*.part"))) == 2

    missing = kkcv("index", tmp_path / "none", "--from", out, "--plan", plan)
    again = [
        start("embed", plan, "--out", out, "--json", RANK=str(i), WORLD_SIZE="4") for i in (0, 2)
    ]
    reports = [json.loads(worker.communicate(timeout=300)[0]) for worker in again]
    said = kkcv("index", tmp_path / "gallery", "--from", out, "--plan", plan, "--json")
    kkcv("index", tmp_path / "alone", "--from", vectors, "--plan", plan)

    assert missing.code == 2
    assert "3 of the 9 shards of" in missing.err
    assert "are missing or damaged: 4, 6, 8; to make them: kkcv embed" in missing.err
    assert not (tmp_path / "none").exists()
    assert [(r["worker"], r["shards"], r["skipped"]) for r in reports] == [
        ("0/4", 3, 1),
        ("2/4", 2, 1),
    ]
    assert said.code == 0, said.err
    assert (said.json["added"], said.json["rejected"], said.json["pictures"]) == (24, 1, 24)
    assert contents(tmp_path / "gallery") == contents(tmp_path / "alone")
    for file in vectors.iterdir():
        assert (out / file.name).read_bytes() == file.read_bytes()


def test_loading_is_idempotent_and_the_gallery_answers(
    kkcv: Kkcv, photos: Path, vectors: Path, tmp_path: Path
) -> None:
    gallery = tmp_path / "gallery"
    files = sorted(vectors.glob("*.parquet"))
    query = next((photos / "cats").iterdir())

    first = kkcv("index", gallery, "--from", *files, "--json")
    second = kkcv("index", gallery, "--from", vectors, "--json")
    indexed = kkcv("index", gallery, photos, "--json")
    hits = kkcv("search", gallery, query, "-k", 3, "--json").json["hits"]

    assert (first.json["files"], first.json["added"]) == (9, 24)
    assert (second.json["added"], second.json["unchanged"]) == (0, 24)
    assert (indexed.json["added"], indexed.json["unchanged"]) == (0, 24)  # nothing is embedded
    assert hits[0]["path"] == str(query)
    assert hits[0]["score"] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["embed", "PLAN", "--out", "x", "--shard", "4/4"],
            "--shard (or RANK/WORLD_SIZE) is I/N with I from 0 to N-1, as 0/4, got '4/4'",
        ),
        (
            ["embed", "PLAN"],
            "a worker takes one plan and --out DIR; to make a plan: kkcv embed --plan PLAN "
            "PATHS...",
        ),
        (
            ["embed", "PLAN", "--out", "x", "--shards", "4"],
            "--shards is not for a worker; see: kkcv embed --help",
        ),
        (
            ["embed", "--plan", "new", "--shards", "4", "--shard-pictures", "4", "PLAN"],
            "--shards and --shard-pictures are two ways to say it; take one",
        ),
        (
            ["index", "x"],
            "name files or folders of pictures, or --from what kkcv embed made",
        ),
        (
            ["index", "x", "--from", "PLAN", "--model", "resnet18"],
            "--from takes vectors as they are: leave out how to make them",
        ),
        (
            ["index", "x", "--from", "PLAN"],
            "PLAN holds no Parquet files",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    kkcv: Kkcv, plan: Path, arguments: list[str], line: str
) -> None:
    said = kkcv(*(str(plan) if a == "PLAN" else a for a in arguments))

    assert said.code == 2
    assert said.err == f"kkcv: {line.replace('PLAN holds', f'{plan} holds')}\n"


def test_a_worker_with_other_weights_refuses(kkcv: Kkcv, plan: Path, tmp_path: Path) -> None:
    said = kkcv("embed", plan, "--out", tmp_path / "out", "--weights", "none")

    assert said.code == 2
    assert "is for efficientnet_lite0" in said.err
    assert ", random there" in said.err
    assert not (tmp_path / "out").exists()
