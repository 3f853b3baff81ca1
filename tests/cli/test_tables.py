"""Tables: whole rows for programs, and what fits for a narrow terminal."""

import re

import pytest

from kkcv.cli.output import print_table

COLUMNS = ("id", "path", "by chance", "metadata")
ROWS = ((1, "photos/2019/holiday/a.jpg", "1 in 31,000 or less", ""), (2, "b.jpg", "1 in 62", ""))


def test_a_row_for_a_program_is_a_whole_line_that_ends_with_its_last_cell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(["id", "path"], [(1, "a.jpg"), (2, "x" * 500)])

    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert lines[0] == " id   path"
    assert lines[2:] == ["  1   a.jpg", f"  2   {'x' * 500}"]


@pytest.mark.parametrize(
    ("width", "shown"), [(80, COLUMNS), (60, COLUMNS[:3]), (40, COLUMNS[:2]), (20, COLUMNS[:2])]
)
def test_in_a_narrow_terminal_empty_columns_go_first(
    width: int,
    shown: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(width))

    print_table(COLUMNS, ROWS, spare=["by chance"])

    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= width
    header = " ".join(lines[: lines.index(next(line for line in lines if "──" in line))])
    assert tuple(name for name in COLUMNS if name in header) == shown


def test_a_path_without_room_stands_whole_under_its_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    path = "/home/me/pictures/2019/holiday/a.jpg"
    columns = ("rank", "score", "likeness", "verified", "copy", "path")
    hits = [(1, 0.8075, "almost certain", "152 points", "whole", path), (2, 0.5, "", "", "", path)]

    print_table(columns, hits)

    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert [line.strip() for line in lines if line.strip()][3:] == [
        "1   0.8075   almost certain   152 points   whole",
        path,
        "2   0.5000",
        path,
    ]
