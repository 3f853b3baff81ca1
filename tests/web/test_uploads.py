"""Uploads: their total, and what visitors leave behind; who may name folders."""

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from kkcv.web.search.query_state import REMEMBERED_BYTES, Query, within_bytes
from kkcv.web.session import is_at_this_machine
from kkcv.web.uploads import Uploads


def file(name: str, size: int) -> UploadedFileRec:
    return UploadedFileRec(name, name, "image/png", bytes(size))


@pytest.fixture
def manager() -> MemoryUploadedFileManager:
    return MemoryUploadedFileManager("/upload")


def names(manager: MemoryUploadedFileManager, session: str) -> list[str]:
    return [each.name for each in manager.get_files(session, ["a", "b", "c", "d"])]


def test_the_oldest_uploads_are_dropped_where_there_are_too_many_bytes(
    manager: MemoryUploadedFileManager,
) -> None:
    Uploads(manager, lambda session: True, most=100)

    for session, name in (("first", "a"), ("second", "b"), ("second", "c")):
        manager.add_file(session, file(name, 40))

    assert names(manager, "first") == []
    assert names(manager, "second") == ["b", "c"]


def test_what_a_visitor_removes_makes_room(manager: MemoryUploadedFileManager) -> None:
    Uploads(manager, lambda session: True, most=100)
    manager.add_file("first", file("a", 40))
    manager.add_file("first", file("b", 40))
    manager.remove_file("first", "b")

    manager.add_file("first", file("c", 60))

    assert names(manager, "first") == ["a", "c"]


def test_visitors_who_left_leave_nothing(manager: MemoryUploadedFileManager) -> None:
    uploads = Uploads(manager, lambda session: session == "stays", most=100)
    manager.add_file("stays", file("a", 40))
    manager.add_file("leaves", file("b", 40))

    uploads.give_back()

    assert names(manager, "stays") == ["a"]
    assert "leaves" not in manager.file_storage


def test_past_queries_keep_a_bounded_number_of_bytes() -> None:
    large = [Query(str(n), None, bytes(REMEMBERED_BYTES // 2)) for n in range(3)]

    assert within_bytes(large) == large[1:]
    assert within_bytes([large[0], large[0], large[0]]) == [large[0]] * 3  # the same picture
    assert within_bytes([Query("x", None, bytes(REMEMBERED_BYTES + 1))])[0].name == "x"


HERE = {"Host": "localhost:8501", "Origin": "http://localhost:8501"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (HERE, True),
        ({"host": "127.0.0.1:8501", "origin": "http://127.0.0.1:8501"}, True),
        ({"Host": "[::1]:8501", "Origin": "http://[::1]:8501"}, True),
        (HERE | {"X-Forwarded-For": "203.0.113.7"}, False),
        (HERE | {"Via": "1.1 caddy"}, False),
        (HERE | {"Origin": "https://photos.example"}, False),
        (HERE | {"Host": "photos.example"}, False),
        ({"Host": "localhost:8501"}, False),
        ({}, False),
    ],
)
def test_folders_are_named_by_the_person_at_the_machine(
    headers: dict[str, str], expected: bool
) -> None:
    assert is_at_this_machine(headers) == expected
