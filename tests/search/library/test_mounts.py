"""Disks that are really mounted: what the system does to one path costs that path alone.

Each script runs where it may mount; the tests are skipped where the system allows that nowhere.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kkcv.answering import SILENT

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="mounts are those of Linux"),
    pytest.mark.skipif(not shutil.which("unshare"), reason="no name spaces"),
]
CANNOT_MOUNT = 77
KKCV = f"{sys.executable} -m kkcv"


def run(script: str, folder: Path) -> list[dict[str, Any]]:
    """The JSON objects that a script prints, in a name space in which it may mount."""
    done = subprocess.run(
        ["unshare", "-r", "-m", "bash", "-ec", f'kkcv() {{ {KKCV} "$@"; }}\n{script}'],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
    )
    if done.returncode == CANNOT_MOUNT or "unshare:" in done.stderr:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with four pictures, beside one with six for a disk that is mounted in it."""
    for number in range(10):
        file = tmp_path / ("lib" if number < 4 else "disk") / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.new("RGB", (40, 40), (25 * number, 90, 200 - 20 * number)).save(file)
    (tmp_path / "lib/mounted").mkdir()
    return tmp_path


INDEX = "kkcv index g lib --json"
ROOTS = "kkcv roots g --json"


def test_a_disk_that_is_unmounted_keeps_its_pictures_and_comes_back(library: Path) -> None:
    first, away, roots, again = run(
        f"""
        mount -t tmpfs none lib/mounted || exit 77
        cp disk/* lib/mounted
        {INDEX}; umount -l lib/mounted
        {INDEX}; {ROOTS}; kkcv remove g --missing && exit 1
        mount -t tmpfs none lib/mounted; cp disk/* lib/mounted; mount -o remount,ro lib/mounted
        {INDEX}
        """,
        library,
    )

    assert first["added"] == 10
    assert (away["unchanged"], away["rejected"], away["pictures"]) == (4, 0, 10)
    assert {r["root"]: r["state"] for r in roots["roots"]} == {
        str(library / "lib"): "there",
        str(library / "lib/mounted"): "empty",
    }
    assert (again["unchanged"], again["added"], again["pictures"]) == (10, 0, 10)


def test_a_backup_whose_files_have_the_same_inodes_is_a_copy(library: Path) -> None:
    first, copy, roots = run(
        f"""
        mkdir backup; mount -t tmpfs none lib/mounted || exit 77
        cp disk/* lib/mounted; {INDEX}
        inode=$(stat -c %i lib/mounted/5.png); umount -l lib/mounted
        mount -t tmpfs none backup; cp disk/* backup
        [ $inode = $(stat -c %i backup/5.png) ]
        kkcv index g backup --json; {ROOTS}
        """,
        library,
    )

    assert (first["added"], copy["moved"], copy["copied"]) == (10, 0, 6)
    assert {r["root"]: r["pictures"] for r in roots["roots"]} == {
        str(library / "lib"): 4,
        str(library / "lib/mounted"): 6,
        str(library / "backup"): 6,
    }


@pytest.mark.slow
def test_a_folder_that_is_bound_into_another_is_found_where_it_is(library: Path) -> None:
    first, away, roots = run(
        f"""
        mount --bind disk lib/mounted || exit 77
        {INDEX}; umount -l lib/mounted
        {INDEX}; {ROOTS}
        """,
        library,
    )

    assert (first["added"], away["pictures"]) == (10, 10)
    assert {r["root"]: (r["pictures"], r["missing"]) for r in roots["roots"]} == {
        str(library / "lib"): (4, 0),
        str(library / "disk"): (6, 0),
    }


@pytest.mark.skipif(not shutil.which("bindfs"), reason="bindfs is not installed")
@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="no FUSE")
def test_a_dead_mount_costs_its_own_pictures_alone(library: Path) -> None:
    first, dead, roots, found, again = run(
        f"""
        bindfs -f disk lib/mounted & daemon=$!; trap 'kill -9 $daemon' EXIT
        for i in $(seq 50); do [ -e lib/mounted/5.png ] && break; sleep .1; done
        [ -e lib/mounted/5.png ] || exit 77
        {INDEX}; kill -9 $daemon; sleep .3
        {INDEX}; {ROOTS}; kkcv search g id:1 -k 20 --json
        umount -l lib/mounted; mount --bind disk lib/mounted; trap - EXIT
        {INDEX}
        """,
        library,
    )

    assert first["added"] == 10
    assert (dead["unchanged"], dead["pictures"]) == (4, 10)
    assert [reject["path"] for reject in dead["rejects"]] == [str(library / "lib/mounted")]
    assert "not connected" in dead["rejects"][0]["message"]
    assert roots["roots"][1]["state"] == "unreachable"
    assert sum(hit["missing"] for hit in found["hits"]) == 6
    assert (again["unchanged"], again["pictures"]) == (10, 10)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bindfs"), reason="bindfs is not installed")
@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="no FUSE")
def test_a_mount_that_never_answers_is_not_waited_for(library: Path) -> None:
    _, silent, again = run(
        f"""
        bindfs -f disk lib/mounted & daemon=$!; trap 'kill -9 $daemon' EXIT
        for i in $(seq 50); do [ -e lib/mounted/5.png ] && break; sleep .1; done
        [ -e lib/mounted/5.png ] || exit 77
        {INDEX}; kill -STOP $daemon
        {INDEX}; kill -CONT $daemon
        {INDEX}
        """,
        library,
    )

    assert (silent["unchanged"], silent["rejected"]) == (4, 1)
    assert silent["rejects"][0]["message"].endswith(f"mounted: {SILENT}")
    assert (again["unchanged"], again["rejected"]) == (10, 0)


@pytest.mark.slow
def test_a_disk_that_goes_while_it_is_read_leaves_what_was_read(library: Path) -> None:
    for number in range(200):
        shutil.copy(library / "disk/5.png", library / f"disk/more{number}.png")
    during, again = run(
        f"""
        mount --bind disk lib/mounted || exit 77
        {INDEX} > during & wait=$!; sleep 2; umount -l lib/mounted; wait $wait; cat during
        mount --bind disk lib/mounted; {INDEX}
        """,
        library,
    )

    assert during["pictures"] + len({r["path"] for r in during["rejects"]}) <= 210
    assert all(str(library / "lib/mounted") in r["path"] for r in during["rejects"])
    assert (again["pictures"], again["rejected"]) == (210, 0)
