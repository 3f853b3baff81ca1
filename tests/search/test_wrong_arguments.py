"""Invalid ids, addresses and options: the library's own errors say what is valid."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kkcv.embedding.embedder import Embedder
from kkcv.errors import KkcvError, RequestError, UnknownPicture
from kkcv.search.gallery import Gallery

Paint = Callable[..., Path]


@pytest.mark.parametrize("id", [0, -1, 2**63, 10**30])
def test_an_id_that_no_picture_can_have_is_unknown(gallery: Gallery, id: int) -> None:
    ask: list[Callable[[], Any]] = [
        lambda: gallery.get(id),
        lambda: gallery.search(id),
        lambda: gallery.search_id(id),
        lambda: gallery.describe(id, {}),
        lambda: gallery.replace(id, b""),
    ]
    for each in ask:
        with pytest.raises(UnknownPicture, match=f"no picture with id {id}"):
            each()
    assert gallery.remove([id]) == []
    assert gallery.get_many([id]) == []


@pytest.mark.parametrize("text", ["9" * 30, "id:" + "9" * 5000, "٣"])
def test_text_that_is_no_id_finds_nothing(gallery: Gallery, paint: Paint, text: str) -> None:
    for n in range(3):
        gallery.add(paint(f"{n}.png", n))

    with pytest.raises(UnknownPicture):
        gallery.find(text)


def test_numbers_of_numpy_are_ids_and_truth_is_none(gallery: Gallery, paint: Paint) -> None:
    first, second = (gallery.add(paint(f"{n}.png", n)).id for n in range(2))

    assert [hit.id for hit in gallery.search(np.int64(first))] == [second]
    with pytest.raises(RequestError, match="an id is a whole number such as 17, got True"):
        gallery.search(True)
    assert gallery.remove(np.array([first])) == [first]


@pytest.mark.parametrize("ids", ["x", b"x", [None], ["1"], [True]])
def test_what_are_no_ids_are_not_removed(gallery: Gallery, ids: Any) -> None:
    with pytest.raises(RequestError, match="whole number"):
        gallery.remove(ids)


def test_a_number_of_hits_may_be_of_numpy(gallery: Gallery, paint: Paint) -> None:
    picture = paint("a.png", 1)
    gallery.add(picture)

    assert len(gallery.search(picture, np.int64(5))) == 1
    for k in (True, 0, 1001, 2.0, "3", None):
        with pytest.raises(RequestError, match="k must be a whole number from 1 to 1000"):
            gallery.search(picture, k)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (np.full(48, np.nan, np.float32), "has length 1, got nan"),
        (np.full(48, 1, np.float32), "has length 1, got 6.9"),
        (np.zeros(48), "has length 1, got 0"),
        (np.ones(47), "has 48 numbers, got \\(1, 47\\)"),
        (["a"] * 48, "is 48 numbers"),
        ([[1.0], [1.0, 2.0]], "is 48 numbers"),
        (None, "has 48 numbers"),
    ],
)
def test_a_vector_that_is_no_query_is_refused(gallery: Gallery, query: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        gallery.search_vector(query)


def test_a_unit_vector_may_be_a_list_and_of_any_precision(gallery: Gallery, paint: Paint) -> None:
    picture = gallery.add(paint("a.png", 1))
    vector = gallery.embedder.embed_picture(paint("a.png", 1)).astype(np.float64)

    for query in (vector, vector.tolist(), vector.astype(np.float16)):
        assert gallery.search_vector(query)[0].id == picture.id


# In a process of its own: what forks should have no threads of other tests (gRPC's hang in forks).
FORKS = """
import os, sys
import numpy as np
from kkcv import Embedder, Gallery
from kkcv.errors import KkcvError

gallery, picture = Gallery.create(sys.argv[1], Embedder.load()), sys.argv[2]
gallery.add(picture)
embedder = gallery.embedder
asked = (
    lambda: gallery.search(picture),
    lambda: gallery.add(picture),
    lambda: gallery.embedder,
    lambda: embedder.embed_picture(picture),
    lambda: embedder.embed([np.zeros((32, 32, 3), np.uint8)]),
)
for ask in asked:
    ask()
    child = os.fork()
    if child == 0:
        try:
            ask()
            print("an answer", flush=True)
        except KkcvError as error:
            print(error, flush=True)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_is_told_that_it_needs_a_gallery_of_its_own(tmp_path: Path, paint: Paint) -> None:
    command = [sys.executable, "-c", FORKS, tmp_path / "gallery", paint("a.png", 1)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    told = done.stdout.splitlines()
    assert len(told) == 5
    assert all("cannot be used in a fork of the process that made it" in line for line in told)


def test_a_process_that_is_not_a_fork_opens_what_it_is_sent(tmp_path: Path, paint: Paint) -> None:
    picture = paint("a.png", 1)
    gallery = Gallery.create(tmp_path / "g", Embedder.load())
    gallery.add(picture)

    with gallery, ProcessPoolExecutor(1, get_context("spawn")) as others:
        hits = others.submit(Gallery.search, gallery, picture).result()
        vector = others.submit(Embedder.embed_picture, gallery.embedder, picture).result()
        assert hits == gallery.search(picture)
        np.testing.assert_array_equal(vector, gallery.embedder.embed_picture(picture))


@pytest.mark.parametrize("address", [None, 1, b"x"])
def test_what_is_no_address_is_refused(address: Any) -> None:
    with pytest.raises(RequestError, match="a gallery is at a folder or an address"):
        Gallery.open(address)


@pytest.mark.parametrize("words", [{"zz": 1}, {"options": {"where": "a"}}, {"where": 5}])
def test_an_option_that_is_none_is_named(
    gallery: Gallery, paint: Paint, words: dict[str, Any]
) -> None:
    picture = paint("a.png")
    gallery.add(picture)

    with pytest.raises(
        KkcvError, match=r"no option 'zz'; there are: where|options are|where is text of"
    ):
        gallery.search(picture, **words)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"text": "a" * 20_000}, r"metadata must be at most 16,384 characters of JSON, not 20,0"),
        ({"score": float("nan")}, "metadata has a number in it that is not finite"),
        ({"seen": {1, 2}}, "metadata must be what JSON can hold"),
        ("cat", "metadata is a dict, got 'cat'"),
    ],
)
def test_metadata_that_an_import_would_refuse_are_refused_at_once(
    gallery: Gallery, paint: Callable[..., Path], metadata: Any, message: str
) -> None:
    picture = gallery.add(paint("red.png"), {"label": "red"})

    for change in (
        lambda: gallery.add(paint("blue.png", seed=1), metadata),
        lambda: gallery.replace(picture.id, paint("green.png", seed=2), metadata),
        lambda: gallery.describe(picture.id, metadata),
    ):
        with pytest.raises(RequestError, match=message):
            change()
    assert [each.metadata for each in gallery.pictures()] == [{"label": "red"}]
