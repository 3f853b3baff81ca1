"""Commands on a gallery where nothing can be written."""

import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest


def read_only(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """The output of commands while nothing can be written into the folder."""
    mount = f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} || exit 77"
    done = subprocess.run(
        ["unshare", "-r", "-m", "sh", "-c", f"{mount}\n{script}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip("nothing can be mounted here")
    return done


@pytest.mark.skipif(not shutil.which("unshare"), reason="no name spaces")
def test_a_gallery_on_a_read_only_medium_is_searched_and_not_changed(
    made_gallery: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(made_gallery, tmp_path / "gallery"))
    kkcv = f"{sys.executable} -m kkcv"
    done = read_only(
        folder,
        f"""
        {kkcv} search {folder} id:1 -k 3 && {kkcv} stats {folder} && {kkcv} doctor {folder} &&
        {kkcv} duplicates {folder} && {kkcv} backup {folder} {tmp_path / "backup.zip"} || exit 1
        {kkcv} index {folder} {tmp_path}; {kkcv} remove {folder} 1
        """,
    )

    assert done.returncode == 2, done.stderr
    assert done.stderr.count(f"{folder} is read-only; nothing was changed") == 2
    assert "Exception" not in done.stderr
    assert "cannot be written" not in done.stderr


@pytest.mark.skipif(not shutil.which("unshare"), reason="no name spaces")
def test_one_of_an_older_format_says_that_it_must_be_opened_elsewhere_first(
    made_gallery: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(made_gallery, tmp_path / "gallery"))
    connection = apsw.Connection(str(folder / "catalog.sqlite"))
    connection.execute(
        "DROP TABLE edits; DROP TABLE checksums; "
        "UPDATE settings SET value = 2 WHERE name = 'format'"
    )
    connection.close()
    kkcv = f"{sys.executable} -m kkcv"

    done = read_only(folder, f"{kkcv} search {folder} id:1 -k 3")

    assert done.returncode == 2
    assert done.stderr.startswith(
        f"kkcv: {folder} has the format of an older kkcv and is read-only"
    )
    assert done.stderr.count("\n") == 1
    assert subprocess.run(f"{kkcv} stats {folder}", shell=True, check=False).returncode == 0
    assert read_only(folder, f"{kkcv} search {folder} id:1 -k 3").returncode == 0


@pytest.mark.skipif(not shutil.which("unshare"), reason="no name spaces")
def test_over_http_it_answers_searches_and_refuses_changes_with_409(
    made_gallery: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(made_gallery, tmp_path / "gallery"))
    script = tmp_path / "ask.py"
    script.write_text(f"""
from kkcv.search.gallery import Gallery
from kkcv.serve.app import create_app
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings

service = Service(Gallery.open({str(folder)!r}), Settings())
service.load()
client = create_app(service).test_client()
print(client.get("/v1/images/1/similar?k=3").status_code)
changed = client.patch("/v1/images/1", json={{"metadata": {{}}}})
for answer in (client.delete("/v1/images/1"), changed):
    print(answer.status_code, answer.get_json()["type"], answer.get_json()["detail"])
service.close()
""")
    done = read_only(folder, f"{sys.executable} {script}")

    refused = f"409 /problems/gallery-read-only {folder} is read-only; nothing was changed"
    assert done.stdout.splitlines() == ["200", refused, refused], done.stderr
