"""Every refusal is one line that says why, whatever the system or a library calls it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Said

Kkcv = Callable[..., Said]
LONG = "a" * 300


@pytest.fixture(scope="module")
def indexed(kkcv: Kkcv, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of one picture whose name would steer a terminal."""
    folder = tmp_path_factory.mktemp("refusals")
    (folder / "pictures").mkdir()
    Image.new("RGB", (64, 48), "red").save(folder / "pictures" / "a\x1b[31m\nb.png")
    said = kkcv("index", folder / "g.kkcv", folder / "pictures", "--json")
    assert said.code == 0, said.err
    return folder / "g.kkcv"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a named pipe, a file, and a gallery whose catalog is none."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("text")
    (tmp_path / "garbage.kkcv").mkdir()
    (tmp_path / "garbage.kkcv" / "catalog.sqlite").write_bytes(bytes(range(256)) * 12)
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="there are no named pipes")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stats", LONG), "cannot be a gallery: File name too long"),
        (("search", "{gallery}", "a.jpg", "b.jpg"), "for what is like both: --like b.jpg"),
        (("backup", "{gallery}", LONG), "cannot be written: File name too long"),
        (("export", "{gallery}", f"{LONG}.csv"), "cannot be written: File name too long"),
        (("restore", "new", LONG), "there is no such file"),
        (("classify", "--model", LONG, "file"), "in the zoo"),
        (("evaluate", "search", LONG), "File name too long"),
        (("embed", "--plan", "file/plan", "."), "cannot be written: Not a directory"),
        (("embed", "--plan", "/", "."), "a plan is a new folder, and cannot be /"),
        (("export", "{gallery}", "no/x.parquet"), "cannot be written: there is no folder"),
        (("restore", "new", "file"), "it does not end as a backup does"),
        (("import", "new", "pipe"), "this is a named pipe"),
        (("keys", "list", "pipe"), "this is a named pipe"),
        (("keys", "add", "pipe", "me"), "this is a named pipe"),
        (("serve", "{gallery}", "--config", "pipe"), "this is a named pipe"),
        (("classify", "--device", "abacus", "file"), "no device 'abacus' on this machine"),
        (("index", "new", ".", "--device", "meta"), "no device 'meta' on this machine"),
        (("classify", "--model", "", "file"), "'' names no network"),
        (("index", "new", ".", "--model", "+mirrored"), "'+mirrored' names no network"),
        (("classify", "--model", "open_clip:", "file"), "'open_clip:' names no network"),
        (("tune", "{gallery}", "--memory", ""), "a memory limit is a number"),
        (("web", "http://[", "--no-browser"), "an address is like http://"),
        (("web", "http://127.0.0.1:99999", "--no-browser"), "an address is like http://"),
        (("doctor", "garbage.kkcv", "--repair"), "restore a backup (kkcv restore), or index"),
        (("stats", "two\nlines"), "two\\nlines is not a gallery"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    kkcv: Kkcv, indexed: Path, place: Path, arguments: tuple[str, ...], message: str
) -> None:
    before = sorted(place.iterdir())

    said = kkcv(*(argument.format(gallery=indexed) for argument in arguments), cwd=place)

    assert said.code == 2
    assert message in said.err
    assert said.err.startswith("kkcv: ")
    assert said.err.count("\n") == 1
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "g", "x.jpg", "--min-score", "nan"),
        ("duplicates", "g", "--min-score", "nan"),
        ("tune", "g", "--recall", "nan"),
    ],
)
def test_nan_is_in_no_range(kkcv: Kkcv, arguments: tuple[str, ...]) -> None:
    said = kkcv(*arguments)

    assert said.code == 2
    assert "nan is not in the range" in said.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize(
    "arguments", [("--help",), ("zoo", "list", "lenet*"), ("completion", "bash")]
)
def test_an_output_that_is_full_is_one_line(kkcv: Kkcv, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        said = kkcv(*arguments, stdout=full)

    assert said.code == 2
    assert said.err == "kkcv: the output cannot be written: No space left on device\n"


def test_a_name_in_a_table_does_not_steer_the_terminal(kkcv: Kkcv, indexed: Path) -> None:
    picture = next((indexed.parent / "pictures").iterdir())

    said = kkcv("search", indexed, picture)

    assert "a\\x1b[31m\\nb.png" in said.out
    assert "\x1b" not in said.out


def test_a_warning_is_one_line_without_its_place_in_the_code(
    kkcv: Kkcv, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_CACHE", os.devnull)

    said = kkcv("search", indexed, "id:1", "--json")

    assert said.code == 0
    assert all(line.startswith("kkcv: ") for line in said.err.splitlines())
    assert ".py:" not in said.err


def test_the_help_says_what_each_command_is_for_in_a_whole_sentence(kkcv: Kkcv) -> None:
    said = kkcv("--help")

    assert "..." not in said.out.replace("[ARGS]...", "")
    for heading in ("Search:", "Keep a gallery:", "Serve:", "Networks:", "Train:"):
        assert f"\n{heading}\n" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search",), "missing argument 'GALLERY'; see kkcv search --help"),
        (("search", "g", "a.jpg", "--bogus"), "no such option '--bogus'; see kkcv search --help"),
        (("search", "g", "a.jpg", "--min-score", "nan"), "--min-score': nan is not in the range"),
        (("search", "g", "a.jpg", "-k"), "'-k' requires an argument; see kkcv search --help"),
        (("zoo", "shw"), "no such command 'shw' (did you mean 'show'?); see kkcv zoo --help"),
        (
            ("serch",),
            "no such command 'serch' (did you mean one of: 'search', 'serve'?); see kkcv --help",
        ),
        (("--bogus",), "no such option '--bogus'; see kkcv --help"),
    ],
)
def test_a_misspelled_command_is_one_line_too(
    kkcv: Kkcv, arguments: tuple[str, ...], message: str
) -> None:
    said = kkcv(*arguments)

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("kkcv: ")
    assert said.err.count("\n") == 1
    assert message in said.err


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no shell that does it")
def test_settings_are_taken_from_a_shell_that_hands_them_over(tmp_path: Path) -> None:
    command = f"{sys.executable} -m kkcv config --config <(printf '[serve]\\nport = 8123\\n')"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)

    assert (said.returncode, said.stderr) == (0, "")
    assert "8123" in said.stdout


def test_a_random_network_is_called_random(kkcv: Kkcv, indexed: Path, tmp_path: Path) -> None:
    network = ("--model", "lenet5_modern", "--weights", "none", "--json")
    said = kkcv("index", tmp_path / "random.kkcv", indexed.parent / "pictures", *network)
    assert (said.code, said.json["added"]) == (0, 1)
    assert "the network is random" in said.err

    said = kkcv("reindex", indexed, "--model", "lenet5_modern", "--weights", "none", "--json")

    assert said.code == 0
    assert "the network is random" in said.err
    assert kkcv("reindex", indexed, "--undo").code == 0
