"""Every command that the READMEs show is run, and every link inside the project leads somewhere."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = [*READMES, *(str(p.relative_to(ROOT)) for p in sorted((ROOT / "docs").rglob("*.md")))]


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """The ``kkcv …`` lines of the shell blocks, without comments."""
    lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("kkcv ")]


@pytest.fixture(scope="module")
def home(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with ``Pictures``, and the files that the READMEs name."""
    home = tmp_path_factory.mktemp("home")
    for kind in ("cats", "dogs"):
        for part, count in (("train", 12), ("val", 4)):
            folder = home / "cats_dogs" / part / kind
            folder.mkdir(parents=True)
            for path in sorted((pictures / "cats_dogs" / part / kind).iterdir())[:count]:
                shutil.copy(path, folder)
    shutil.copytree(home / "cats_dogs" / "train", home / "Pictures")
    shutil.copy(next((home / "cats_dogs" / "val" / "cats").iterdir()), home / "cat.jpg")
    return home


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home), "KKCV_OFFLINE": "1"}


@pytest.mark.parametrize("page", READMES)
def test_every_command_of_the_readme_works_in_its_order(page: str, home: Path) -> None:
    work = home / page
    work.mkdir()
    for name in ("cat.jpg", "cats_dogs"):
        (work / name).symlink_to(home / name)
    shown = commands(page)
    assert len(shown) >= 8

    for command in shown:
        line = [sys.executable, "-m", *command]
        line = [part.replace("~", str(home)) for part in line]
        if command[1] in ("serve", "web"):
            check_that_it_listens(line, work, home)
        else:
            done = subprocess.run(
                line, cwd=work, env=environment(home), capture_output=True, text=True, timeout=600
            )
            assert done.returncode == 0, f"{shlex.join(command)}\n{done.stderr}"


def check_that_it_listens(line: list[str], work: Path, home: Path) -> None:
    """Start a server, ask for its page, and stop it."""
    port = "8765"
    line = [*line, "--port", port, *(["--no-browser"] if line[3] == "web" else [])]
    process = subprocess.Popen(line, cwd=work, env=environment(home), start_new_session=True)
    path = "healthz" if line[3] == "serve" else ""
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                assert process.poll() is None, f"{shlex.join(line)} ended"
                assert time.monotonic() < deadline, f"{shlex.join(line)} does not answer"
                time.sleep(0.2)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


@pytest.mark.parametrize("page", READMES)
def test_every_python_example_of_the_readme_works(page: str, home: Path) -> None:
    work = home / f"python-{page}"
    work.mkdir()
    shutil.copy(home / "cat.jpg", work)
    examples = blocks(page, "python")
    assert examples
    subprocess.run(
        [sys.executable, "-m", "kkcv", "index", "photos.kkcv", str(home / "Pictures")],
        cwd=work,
        check=True,
        capture_output=True,
    )

    for example in examples:
        done = subprocess.run(
            [sys.executable, "-c", example],
            cwd=work,
            env=environment(home),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{example}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_project_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)|(?:src|href)=\"([^\"#:]+)\"", text)

    lost = [
        target
        for pair in targets
        for target in pair
        if target and not ((ROOT / page).parent / target).exists()
    ]

    assert not lost


def test_both_readmes_show_the_same_commands() -> None:
    assert commands(READMES[0]) == commands(READMES[1])
