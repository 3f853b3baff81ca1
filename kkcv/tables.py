"""Tables: CSV as spreadsheets write it, in any usual encoding; our own in UTF-8."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from .disk import atomic_write
from .errors import DataError

PICTURE = re.compile(r"\.(jpe?g|png|webp|gif|bmp|tiff?|heic|avif|jxl)$", re.IGNORECASE)
PATH_COLUMNS = ("path", "file", "filename", "image", "image_path", "路径", "文件", "文件名", "图片")


class Table(NamedTuple):
    """The header, stripped, and each row that is not blank, with its line number."""

    path: Path
    columns: list[str]
    rows: list[tuple[int, dict[str, str]]]


def read_table(path: Path) -> Table:
    """A CSV in the encodings and with the separators that spreadsheets write.

    Raises DataError for a file that cannot be read, or one without a header.
    """
    try:
        text = decoded(path.read_bytes())
        if "\0" in text:
            raise DataError(f"{path} is not a table: it has NUL characters")
        hint = re.match(r"sep=(.)\r?\n", text)  # Excel's own first line
        separator = hint[1] if hint else separator_of(text.partition("\n")[0])
        skipped = 1 if hint else 0
        reader = csv.reader(
            io.StringIO(text[hint.end() if hint else 0 :], newline=""), delimiter=separator
        )
        columns = [name.strip() for name in next(reader, [])]
        if any(map(PICTURE.search, columns)):
            raise DataError(
                f"{path} has no header: its first row is {', '.join(columns)}; write one above it, "
                "as path,label"
            )
        rows = []
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if any(values):
                padded = values + [""] * (len(columns) - len(values))
                rows.append((reader.line_num + skipped, dict(zip(columns, padded, strict=False))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path} cannot be read as a CSV: {reason}") from None
    return Table(path, columns, rows)


def write_table(path: Path, rows: Iterable[Iterable[Any]]) -> None:
    """Write a CSV, complete or not at all; the first row is the header. Paths need not be UTF-8."""
    with (
        atomic_write(path) as part,
        part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        csv.writer(file, lineterminator="\n").writerows(rows)


def decoded(data: bytes) -> str:
    """Text in UTF-8, UTF-16, GBK, or else in the Windows encoding of Western Europe.

    UTF-8 may have paths in it that are not, as ``kkcv list --csv`` writes them.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        if is_mostly_utf8(data):
            return data.decode("utf-8-sig", "surrogateescape")
    # Both bytes of a common Chinese character are high. In a Western encoding a letter with an
    # accent is mostly followed by a plain one.
    high = len(re.findall(rb"[\x81-\xfe]", data))
    pairs = len(re.findall(rb"[\x81-\xfe][\xa1-\xfe]", data))
    if 4 * pairs >= high:
        try:
            return data.decode("gb18030")
        except UnicodeDecodeError:
            pass
    return data.decode("cp1252")


def is_mostly_utf8(data: bytes) -> bool:
    """Whether two thirds of the lines that are not ASCII are UTF-8: in GBK few happen to be."""
    lines = [line for line in data.splitlines() if not line.isascii()]
    good = sum(line.decode(errors="replace").encode() == line for line in lines)
    return 3 * good >= 2 * len(lines)


def separator_of(header: str) -> str:
    """The most frequent of the usual separators; a comma where there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|", key=bare.count)


def posix(file: str, root: Path) -> str:
    """A path with forward slashes, below the root where the picture is found there.

    Of a Windows path such as C:\\pets\\cats\\1.jpg the longest end that exists below the root
    counts: the drive is another computer's.
    """
    if "\\" not in file or (root / file).exists():
        return str(PurePosixPath(file))
    windows = PureWindowsPath(file)
    parts = windows.parts[1:] if windows.anchor else windows.parts
    if windows.anchor:
        for first in range(len(parts)):
            if (root / Path(*parts[first:])).exists():
                return "/".join(parts[first:])
    return "/".join(parts)


def column(table: Table, asked: str | None, usual: tuple[str, ...], what: str, flag: str) -> str:
    """The column that is asked for, or the first with a usual name."""
    found = [c for c in table.columns if (c == asked if asked else c.lower() in usual)]
    if not found:
        wanted = repr(asked) if asked else f"{what} (one of: {', '.join(usual)})"
        raise DataError(
            f"{table.path} has no column {wanted}; it has: {', '.join(table.columns)}; "
            f"choose with {flag}"
        )
    return found[0]
