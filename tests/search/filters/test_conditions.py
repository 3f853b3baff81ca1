"""Filters: what they find is what Python would find, and nothing is ever run."""

import json
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kkcv import deadline
from kkcv.errors import RequestError, TimedOut
from kkcv.search.filters.expression import LONGEST, named, parse, spelled
from kkcv.search.folder.filters import as_sql
from kkcv.search.gallery import Gallery
from kkcv.search.picture import PictureFile

VALUES = st.integers(-5, 5) | st.sampled_from(["cat", "dog", "猫", "it's", 'a "b"', ""])
ROWS = st.dictionaries(st.sampled_from(["label", "year", "select"]), VALUES)


def matches(text: str, metadata: dict[str, object]) -> bool:
    """Ask SQLite itself."""
    where = as_sql(parse(text))
    row = "SELECT ? AS metadata, 7 AS id, '/photos/a.jpg' AS path, 10 AS bytes, 1e9 AS added"
    connection = apsw.Connection(":memory:")
    found = connection.execute(
        f"SELECT count(*) FROM ({row}) WHERE {where.sql}", (json.dumps(metadata), *where.bindings)
    ).get
    connection.close()
    return bool(found)


@given(ROWS, st.sampled_from(["label", "year", "select"]), VALUES)
def test_comparisons_are_those_of_python(row: dict, name: str, value: int | str) -> None:
    same_kind = isinstance(row.get(name), type(value))
    for sign, truth in (
        ("==", same_kind and row[name] == value),
        ("!=", same_kind and row[name] != value),
        ("<", same_kind and row[name] < value),
        (">=", same_kind and row[name] >= value),
    ):
        assert matches(f"{name} {sign} {value!r}", row) == truth


@given(ROWS, VALUES, VALUES)
def test_and_or_not_and_in_are_those_of_logic(row: dict, a: int | str, b: int | str) -> None:
    first, second = matches(f"label == {a!r}", row), matches(f"year == {b!r}", row)

    assert matches(f"label == {a!r} and year == {b!r}", row) == (first and second)
    assert matches(f"label == {a!r} or year == {b!r}", row) == (first or second)
    assert matches(f"not label == {a!r}", row) == (not first)
    assert matches(f"label in [{a!r}, {b!r}]", row) == (first or matches(f"label == {b!r}", row))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('path.startswith("/photos/")', True),
        ('path.startswith("/photo%")', False),
        ("id in (6, 7)", True),
        ("bytes > 10", False),
        ('added >= "2001-09-09"', True),
        ('added < "2001-09-09T01:46:41+00:00"', True),
        ("label=cat", True),
        ("label = dog", False),
        ("year=2020", True),
        ("nothing == None", True),
        ("label != None", True),
        ("year == -2020", False),
        ('class == "cup" and from == "Oslo"', True),
        ("class=cup", True),
        ('meta.class == "cup"', True),
        ("file-name=a b.jpg", True),
        ('meta["file-name"] == "a b.jpg"', True),
        ('exif.camera.startswith("Can")', True),
        ("exif.camera=Canon EOS 5D", True),
        ("exif.rating > 3", True),
        ('exif.taken == "2024-05"', True),
        ('exif.taken > "2024-05-01"', False),
        ('exif.taken <= "2024-05-01"', True),
        ('exif.taken != "2024"', False),
        ('exif.taken >= "2024-05-01T12:30:01"', False),
        ('added == "2001"', True),
        ('added > "2001-09-09"', False),
        ("near(52.52, 13.40, 5)", True),
        ("near(52.52, 13.40, 0.1)", False),
        ('"beach" in tags and "snow" not in tags', True),
        ('"bea" in tags', False),
        ('"cup" in class', False),
        ("meta.id == 3 and id == 7", True),
        ("label = 'cat' and year <> 2021", True),
    ],
)
def test_columns_dates_and_short_forms(text: str, expected: bool) -> None:
    row = {
        "label": "cat",
        "year": 2020,
        "class": "cup",
        "from": "Oslo",
        "file-name": "a b.jpg",
        "tags": ["beach", 2],
        "id": 3,
        "exif": {
            "camera": "Canon EOS 5D",
            "rating": 4,
            "taken": "2024-05-01T12:30:00",
            "latitude": 52.5163,
            "longitude": 13.3777,
        },
    }

    assert matches(text, row) is expected


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=1, max_size=3))
def test_every_key_can_be_named(keys: list[str]) -> None:
    row: dict = {"other": 1}
    inner = row
    for key in keys[:-1]:
        inner = inner.setdefault(key, {})
    inner[keys[-1]] = "here"
    name = spelled(("meta", *keys))

    assert named(name) == ("meta", *keys)
    assert matches(f"{name} == 'here'", row)
    assert not matches(f"{name} == 'there'", row)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "label",
        "label == other",
        "__import__('os').system('true')",
        "1 == 1",
        "label == 'a'; DROP TABLE pictures",
        "label == f'{year}'",
        "(lambda: 1)()",
        "label.endswith('x')",
        "path.startswith(7)",
        "1 < year < 5",
        "year == 10**9",
        "year is 5",
        'added >= "yesterday"',
        f"year == {2**63}",
        "not " * 3000 + "a == 1",
        "(" * 500 + "a" + ")" * 500,
        "a" * (LONGEST + 1),
        "label in 'cat'",
        "year == 1_000_000j",
        "price == NaN",
        "price < 1e999",
        "price=-1e999",
        "near(91, 0, 5)",
        "near(52, 13)",
        "near('52', 13, 5)",
        'exif.taken > "soon"',
        "exif.taken > 2024",
        '"a" in path',
        "None in tags",
        "tags[0] == 'a'",
        "meta. == 1",
        'label == "cat',
    ],
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(text)

    assert "\n" not in str(caught.value)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_filter_or_a_clear_error(text: str) -> None:
    try:
        where = as_sql(parse(text))
    except RequestError:
        return
    assert where.sql.count("?") == len(where.bindings)


def test_a_search_with_a_filter_finds_the_nearest_that_match(
    gallery: Gallery, paint: Callable[..., Path]
) -> None:
    ids = [gallery.add(paint(f"{n}.png", n), {"n": n}).id for n in range(12)]

    hits = gallery.search(paint("0.png", 0), k=3, where="n >= 4 and n != 5")

    everything = [hit.id for hit in gallery.search(paint("0.png", 0), k=12)]
    allowed = {id for n, id in enumerate(ids) if n >= 4 and n != 5}
    assert [hit.id for hit in hits] == [id for id in everything if id in allowed][:3]
    assert gallery.count("n >= 4 and n != 5") == len(allowed)


def test_what_scores_less_is_left_out(gallery: Gallery, paint: Callable[..., Path]) -> None:
    for n in range(12):
        gallery.add(paint(f"{n}.png", n))

    hits = gallery.search(paint("0.png", 0), k=12, min_score=0.2)

    scores = [hit.score for hit in gallery.search(paint("0.png", 0), k=12)]
    assert [hit.score for hit in hits] == [score for score in scores if score >= 0.2]


def test_a_filter_that_is_too_deep_for_the_catalog_is_refused(gallery: Gallery) -> None:
    with pytest.raises(RequestError, match="a filter is nested at most 50 deep"):
        gallery.count("not " * 490 + "x == 1")
    assert gallery.count("not " * 40 + "id >= 1") == 0


@pytest.mark.parametrize(
    "text",
    [r'a == "\ud800"', r'path.startswith("\udfff")', "a=\udc7f", "a=" + "9" * 30, "a < None"],
)
def test_a_value_that_no_catalog_could_hold_is_refused(gallery: Gallery, text: str) -> None:
    with pytest.raises(RequestError):
        gallery.count(text)


def test_the_short_form_takes_a_list_for_text(gallery: Gallery, paint: Callable[..., Path]) -> None:
    gallery.add(paint("a.png", 0), {"label": "[1]"})

    assert gallery.count("label=[1]") == 1


@pytest.mark.parametrize("text", ["label in {}", "not label in {}", "label in {} or year > 3"])
def test_a_long_list_is_asked_for_once(text: str) -> None:
    """SQLite looks up in a list; a comparison for each value would take as long as the list."""
    short, long = (as_sql(parse(text.format(list(range(n))))) for n in (2, 400))

    assert long.sql.count("json_extract") == short.sql.count("json_extract")
    assert len(long.bindings) - len(short.bindings) == 398


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('lable == "cat"', "no picture has the key lable; the nearest that there is: label"),
        ('taken > "2024"', "no picture has the key taken; the nearest that there is: exif.taken"),
        (
            "file_name=a",
            'no picture has the key file_name; the nearest that there is: meta["file-name"]',
        ),
        ('"beach" in tag', "no picture has the key tag; the nearest that there is: tags"),
    ],
)
def test_a_misspelled_key_is_answered_with_the_nearest(
    gallery: Gallery, paint: Callable[..., Path], text: str, message: str
) -> None:
    taken = {"taken": "2024-05-01T12:00:00"}
    metadata = {"label": "cat", "exif": taken, "file-name": "a", "tags": ["beach"]}
    gallery.add(paint("a.png", 0), metadata)

    for ask in (
        lambda: gallery.search(paint("a.png", 0), where=text),
        lambda: gallery.search_vector(np.eye(48)[0], where=text),
        lambda: gallery.count(text),
        lambda: gallery.page(10, where=text),
    ):
        with pytest.raises(RequestError) as caught:
            ask()
        assert str(caught.value) == message
        assert caught.value.field == "where"

    assert gallery.count("label == 'dog'") == gallery.count("quite == 'other'") == 0
    assert gallery.count("lable == 'cat' or label == 'cat'") == 1


def test_a_metadata_of_nan_that_an_older_version_stored_is_null(
    gallery: Gallery, paint: Callable[..., Path]
) -> None:
    id = gallery.add(paint("a.png", 0), {"price": 1}).id
    with gallery.catalog.writing() as writer:
        writer.execute('UPDATE pictures SET metadata = \'{"price": NaN, "n": [-Infinity]}\'')

    assert gallery.get(id).metadata == {"price": None, "n": [None]}


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"a": float("nan")}, "metadata has a number in it that is not finite"),
        ({"a": [{"b": float("inf")}]}, "metadata has a number in it that is not finite"),
        ({1: "a"}, "metadata must have texts as keys, not 1"),
        ({"a": [({None: "a"},)]}, "metadata must have texts as keys, not 'None'"),
    ],
)
def test_metadata_that_would_come_back_otherwise_are_refused(
    gallery: Gallery, paint: Callable[..., Path], metadata: dict, why: str
) -> None:
    with pytest.raises(RequestError, match=why):
        gallery.add(paint("a.png", 0), metadata)


def test_numbers_of_numpy_are_numbers(gallery: Gallery, paint: Callable[..., Path]) -> None:
    metadata = {"price": np.float64(1.5), "year": [np.int64(2020)], "sharp": np.bool_(True)}

    id = gallery.add(paint("a.png", 0), metadata).id

    assert gallery.get(id).metadata == {"price": 1.5, "year": [2020], "sharp": True}
    assert gallery.count({"price": np.float64(1.5), "sharp": np.bool_(True)}) == 1


def test_a_filter_ends_when_its_time_is_over_and_the_gallery_goes_on(gallery: Gallery) -> None:
    vector = np.eye(1, gallery.space.dim, dtype=np.float32)[0]
    with gallery.catalog.writing() as writer:
        for number in range(2000):
            file = PictureFile(f"/photos/{number}.jpg", False, bytes(32), 1, 1)
            writer.add(file, vector, {"year": number})
    slow = " or ".join(f"year > {n} and year < {n}" for n in range(60))

    with deadline.within(1e-9), pytest.raises(TimedOut, match="took longer"):
        gallery.count(slow)

    assert gallery.count(slow) == 0
    assert gallery.count("year < 5") == 5
