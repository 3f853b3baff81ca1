"""A terminal in GBK: names of files are read, kept and found as in UTF-8, and shown in GBK."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from kkcv.search.gallery import Gallery


@pytest.fixture(scope="module")
def gbk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of such a terminal."""
    if shutil.which("localedef") is None:
        pytest.skip("there is no localedef here")
    folder = tmp_path_factory.mktemp("locales")
    made = subprocess.run(["localedef", "-f", "GBK", "-i", "zh_CN", folder / "zh_CN.GBK"])
    if made.returncode > 1:  # 1: with warnings
        pytest.skip("this system has no sources of locales")
    return {"LOCPATH": str(folder), "LC_ALL": "zh_CN.GBK", "PATH": "/usr/bin", "HOME": str(folder)}


def test_chinese_names_in_a_terminal_of_gbk(gbk: dict[str, str], tmp_path: Path) -> None:
    def kkcv(*arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "kkcv", *arguments]
        return subprocess.run(command, env=gbk, cwd=tmp_path, capture_output=True)

    (tmp_path / "照片").mkdir()
    for name, color in (("猫咪", "red"), ("狗", "blue")):
        Image.new("RGB", (60, 40), color).save(tmp_path / "照片" / f"{name}.jpg")

    indexed = kkcv("index", "g.kkcv", "照片".encode(), "--labels", "folder")
    found = kkcv("search", "g.kkcv", "照片/猫咪.jpg".encode(), "-k", "1")
    typed = kkcv("list", "g.kkcv", "--where", 'label == "照片"'.encode("gbk"))
    missing = kkcv("show", "g.kkcv", "没有.jpg".encode("gbk"))

    assert (indexed.returncode, indexed.stderr) == (0, b"") or b"skipped" not in indexed.stderr
    with Gallery.open(tmp_path / "g.kkcv") as gallery:
        names = sorted(gallery.path(picture).name for picture in gallery.pictures())
    assert names == sorted(["猫咪.jpg", "狗.jpg"])
    assert "猫咪.jpg" in found.stdout.decode("gbk")
    assert "狗.jpg" in typed.stdout.decode("gbk")
    assert "没有.jpg" in missing.stderr.decode("gbk")
