"""What can be done with a gallery where nothing can be written."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not shutil.which("unshare"), reason="no name spaces")
def test_a_gallery_on_a_read_only_medium_is_searched_and_not_changed(
    made_gallery: Path, tmp_path: Path
) -> None:
    folder, kkcv = tmp_path / "gallery", f"{sys.executable} -m kkcv"
    shutil.copytree(made_gallery, folder)
    script = f"""
        mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} || exit 77
        {kkcv} search {folder} id:1 -k 3 && {kkcv} stats {folder} && {kkcv} doctor {folder} &&
        {kkcv} duplicates {folder} && {kkcv} backup {folder} {tmp_path / "backup.zip"} || exit 1
        {kkcv} remove {folder} 1
    """
    done = subprocess.run(
        ["unshare", "-r", "-m", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip("nothing can be mounted here")

    assert done.returncode == 2, done.stderr
    assert f"{folder} is read-only; nothing was changed" in done.stderr
    assert "cannot be written" not in done.stderr
