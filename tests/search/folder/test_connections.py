"""A reader that may not write sees what others write, whatever lies beside the catalog."""

import shutil
from pathlib import Path

import apsw
import pytest

from kkcv.errors import GalleryError
from kkcv.search.folder.connections import (
    ALONE,
    IMMUTABLE,
    READ_ONLY,
    READ_WRITE,
    Connections,
    connect,
    way_of,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


def written(file: Path, number: int) -> apsw.Connection:
    """The connection of somebody who has written a number."""
    owner = connect(file, 1, READ_WRITE, apsw.SQLITE_OPEN_CREATE)
    owner.execute("CREATE TABLE IF NOT EXISTS numbers (number)")
    owner.execute("INSERT INTO numbers VALUES (?)", (number,))
    return owner


def read(readers: Connections) -> list[int]:
    with readers.lent() as connection:
        return [number for (number,) in connection.execute("SELECT number FROM numbers")]


def test_a_reader_sees_what_an_owner_writes_comes_and_goes(file: Path) -> None:
    written(file, 1).close()
    readers = Connections(file, 1, read_only=True)
    assert (way_of(file).name, read(readers)) == (IMMUTABLE, [1])

    owner = written(file, 2)
    assert (way_of(file), read(readers)) == (READ_ONLY, [1, 2])
    owner.execute("INSERT INTO numbers VALUES (3)")
    assert read(readers) == [1, 2, 3]
    owner.close()
    assert read(readers) == [1, 2, 3]

    readers.close()
    written(file, 4).close()
    assert (way_of(file).name, read(readers)) == (IMMUTABLE, [1, 2, 3, 4])
    readers.close()


def test_a_copy_whose_log_was_not_written_back_is_read(file: Path, tmp_path: Path) -> None:
    owner = written(file, 1)
    copy = tmp_path / "copy" / file.name
    copy.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{file}{suffix}", f"{copy}{suffix}")
    owner.close()
    readers = Connections(copy, 1, read_only=True)

    assert (way_of(copy).name, read(readers)) == (ALONE, [1])
    assert sorted(each.name for each in copy.parent.iterdir()) == [copy.name, f"{copy.name}-wal"]
    readers.close()


def test_a_file_that_changes_while_it_is_read_is_not_called_damaged(file: Path) -> None:
    written(file, 1).close()
    readers = Connections(file, 1, read_only=True)

    with pytest.raises(GalleryError, match="changed by another process"), readers.lent():
        written(file, 2).close()

    assert read(readers) == [1, 2]
    readers.close()


def test_a_reader_writes_nothing(file: Path) -> None:
    written(file, 1).close()
    readers = Connections(file, 1, read_only=True)

    with readers.lent() as connection, pytest.raises(apsw.ReadOnlyError):
        connection.execute("INSERT INTO numbers VALUES (2)")

    readers.close()
