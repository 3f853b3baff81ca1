"""A filter leaves the same pictures on every engine."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kkcv.embedding.embedder import Embedder
from kkcv.errors import RequestError
from kkcv.hit import Hit
from kkcv.search.filters.conditions import COLUMNS
from kkcv.search.gallery import Gallery
from kkcv.search.picture import PictureFile

from .shown_engine import shown_engine

NAMES = st.sampled_from(
    [
        *("label", "year", "猫", "missing", "id", "path", "bytes", "meta.id", "meta.path", "class"),
        *("exif.camera", "exif.rating", 'meta["file-name"]', "tags", "exif", "or", 'meta["a.b"]'),
        *('meta["x"]["\\"_"].from', 'meta[""]', "label.year", "exif.latitude"),
    ]
)
TEXTS = ["cat", "dog", "Cat", "ca", "", "猫", 'a "b"', "it's", "100%", "a_b", "a\\b", "a\nb", "🐈"]
NUMBERS = [-1, 0, 1, 2, 2.5, 1e300, -0.5, 2**53, 2**53 + 1, 2**62]
VALUES = st.sampled_from([*TEXTS, *NUMBERS]) | st.integers(-3, 12)
SIGNS = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
LISTS = st.lists(VALUES, max_size=3)
DATES = ["2024", "2024-02", "2024-02-29", "2024-02-29T23:59", "2024-02-29T23:59:58", "2023-12-31"]
LATITUDES = st.sampled_from([52.52, -90, 90, 0, 89.9, -33.86])
LONGITUDES = st.sampled_from([13.4, -180, 180, 179.9, 0, 151.2])
KEYS = NAMES.filter(lambda name: name not in COLUMNS)
LEAVES = st.one_of(
    st.builds("added {} {}".format, SIGNS, st.sampled_from(["1000", "1002.5", "1e300", "-1e300"])),
    st.builds("added {} {!r}".format, SIGNS, st.sampled_from(["1970", "1970-01-01T00:16"])),
    st.builds("exif.taken {} {!r}".format, SIGNS, st.sampled_from(DATES)),
    st.builds("near({}, {}, {})".format, LATITUDES, LONGITUDES, st.sampled_from([0.5, 300, 15000])),
    st.builds("{!r} {} {}".format, VALUES, st.sampled_from(["in", "not in"]), KEYS),
    st.builds("{} {} {!r}".format, NAMES, SIGNS, VALUES),
    st.builds("{} {} {!r}".format, NAMES, st.sampled_from(["in", "not in"]), LISTS),
    st.builds("{} {} None".format, NAMES, st.sampled_from(["==", "!="])),
    st.builds("{}.startswith({!r})".format, NAMES, st.sampled_from([*TEXTS, "/", "c"])),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=5,
)
PLACES = [
    (52.5, 13.5),
    (52.52, 13.4),
    (-90, 7),
    (0, 180),
    (0, -179.9),
    (90, 0),
    (-34, 151),
    ("0", 0),
]
ROWS = [
    *({"label": text} for text in TEXTS),
    *({"year": number, "label": "cat"} for number in NUMBERS),
    {"year": "2020", "label": 5, "猫": "dog"},
    {"year": True, "label": None},
    {"year": False, "label": ["cat", {"dog": 1}], "猫": 2.0},
    {"tags": ["cat", "猫", 2, 2.5, 0, None, ["dog"], {"cat": 1}, True], "exif": {"rating": 5}},
    {"tags": [], "class": "cup", "or": 1, "id": 2, "path": "cat", "meta": {"id": 3}},
    {"tags": "cat", "exif": {"camera": "cat", "rating": 1.0}, "file-name": "dog"},
    {"tags": {"cat": 1}, "": "cat", "a.b": 2, "a": {"b": 1}, "x": {'"_': {"from": "dog"}}},
    *({"exif": {"latitude": lat, "longitude": lon}} for lat, lon in PLACES),
    *(
        {"exif": {"taken": f"{date}T23:59:58"}}
        for date in ("2024-02-29", "2024-03-01", "2023-12-31")
    ),
    {},
]


@pytest.fixture(scope="module")
def galleries(milvus: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Gallery]]:
    """The same pictures with the same metadata on every engine."""
    from kkcv.checkpoint import Checkpoint
    from kkcv.embedding.runtimes import RUNTIMES

    from .conftest import PREPROCESS, GridOfColors

    home = tmp_path_factory.mktemp("galleries")
    RUNTIMES["grid"] = lambda *_: GridOfColors()
    embedder = Embedder(Checkpoint("grid", "grid", None, PREPROCESS), runtime="grid")
    vectors = np.random.default_rng(0).normal(size=(len(ROWS), 48)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    addresses = (str(home / "g"), f"{milvus}/g{uuid.uuid4().hex}?files={home}")
    with ExitStack() as opened:
        scheme = opened.enter_context(shown_engine())
        made = []
        for address in (*addresses, f"{scheme}://{home}/g.json"):
            gallery = opened.enter_context(Gallery.create(address, embedder, vectors="float32"))
            with gallery.catalog.writing() as writer:
                for n, (metadata, vector) in enumerate(zip(ROWS, vectors, strict=True)):
                    file = PictureFile(f"/c{n % 3}/{n}.png", False, n.to_bytes(32, "big"), n, 1)
                    writer.add(file, vector, metadata, 1000.0 + n / 2)
            made.append(gallery)
        yield made
    del RUNTIMES["grid"]


def found(gallery: Gallery, where: str) -> Sequence[Hit]:
    """The hits; none where the filter has no matches because it misspells a key."""
    try:
        return gallery.search_vector(np.eye(48, dtype=np.float32)[0], 100, where=where)
    except RequestError as error:
        if "the nearest that there is" not in str(error):
            raise
        return []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(where=FILTERS)
def test_a_filter_leaves_the_same_pictures_on_every_engine(
    galleries: list[Gallery], where: str
) -> None:
    folder, *others = (found(gallery, where) for gallery in galleries)

    for other in others:
        assert sorted(hit.id for hit in other) == sorted(hit.id for hit in folder)
        assert [hit.score for hit in other] == pytest.approx([hit.score for hit in folder])
