"""Metadata as people write it."""

import pytest

from kkcv.search.describing import as_value
from kkcv.web.library.edit import as_text


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("cat", "cat"),
        ("2024", 2024),
        ("0.5", 0.5),
        ("true", True),
        ('["a", "b"]', ["a", "b"]),
        ("猫", "猫"),
        ("NaN", "NaN"),
        ("1e999", "1e999"),
    ],
)
def test_words_become_what_they_say(words: str, value: object) -> None:
    assert as_value(words) == value


@pytest.mark.parametrize("value", ["cat", 7, 0.5, None, True, ["a"], {"b": "猫"}])
def test_what_is_shown_is_read_back(value: object) -> None:
    assert as_value(as_text(value)) == value
