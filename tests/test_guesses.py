"""A gallery as people guess it: the first attempt works, or one line names the right word."""

import asyncio
import inspect
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch
from PIL import Image

import kkcv
from kkcv import Classifier, Gallery, Hit, Hits, Like
from kkcv.embedding.embedder import Embedder
from kkcv.errors import EmbedderMismatch, NotAGallery, PictureError, RequestError, UnknownPicture
from kkcv.images.decode import decode
from kkcv.search.options import OPTIONS, SearchOptions, SearchWords


@pytest.fixture
def gallery(made_gallery: Path, embedder: Embedder) -> Gallery:
    return Gallery(made_gallery, embedder)


def test_it_is_a_container_of_its_pictures(gallery: Gallery, album: list[Path]) -> None:
    assert len(gallery) == len(album)
    assert [picture.id for picture in gallery] == list(range(1, len(album) + 1))
    assert gallery[3] == gallery.get(3)
    assert 3 in gallery
    assert np.int64(3) in gallery
    assert 99 not in gallery
    assert gallery[3] in gallery
    assert album[0] in gallery
    assert "nowhere.jpg" not in gallery
    with pytest.raises(UnknownPicture, match="no picture with id 99"):
        gallery[99]


def forms(path: Path, gallery: Gallery) -> dict[str, Any]:
    """One picture in every form that a search takes."""
    pixels = decode(path)
    return {
        "path": path,
        "text of a path": str(path),
        "bytes": path.read_bytes(),
        "file": io.BytesIO(path.read_bytes()),
        "Pillow": Image.open(path),
        "array": pixels,
        "floats": pixels / 255,
        "RGBA": np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]),
        "tensor": torch.from_numpy(pixels).permute(2, 0, 1),
        "tensor of floats": torch.from_numpy(pixels).permute(2, 0, 1) / 255,
        "vector": gallery.vectors().vectors[4],
        "list of floats": gallery.vectors().vectors[4].tolist(),
        "tensor of a vector": torch.from_numpy(gallery.vectors().vectors[4]),
        "Like": Like(path),
    }


def test_every_form_of_a_picture_finds_it(gallery: Gallery, album: list[Path]) -> None:
    for name, query in forms(album[4], gallery).items():
        hits = gallery.search(query, k=3)

        assert hits[0].id == 5, name
        assert hits[0].score == pytest.approx(1, abs=2e-3), name


def test_what_is_in_the_gallery_is_not_found_by_itself(gallery: Gallery) -> None:
    expected = gallery.search_id(5, 3)

    assert gallery.search(5, k=3) == expected
    assert gallery.search(np.int64(5), k=3) == expected
    assert gallery.search(gallery[5], k=3) == expected
    assert gallery.search(Hit(5, 1.0, "", {}), k=3) == expected


def test_a_list_is_answered_by_a_list_as_each_of_it_alone(
    gallery: Gallery, album: list[Path]
) -> None:
    queries = [*forms(album[4], gallery).values(), 7, gallery[2]]
    queries[3] = io.BytesIO(album[4].read_bytes())

    answers = gallery.search(queries, k=4)

    assert [type(answer) for answer in answers] == [Hits] * len(queries)
    queries[3] = album[4]
    for query, answer in zip(queries, answers, strict=True):
        alone = gallery.search(query, k=4)
        assert answer.ids == alone.ids
        assert [hit.score for hit in answer] == pytest.approx([h.score for h in alone], abs=1e-3)


def test_stacked_arrays_are_lists_of_queries(gallery: Gallery, album: list[Path]) -> None:
    pixels = np.stack([np.asarray(Image.open(path).resize((300, 200))) for path in album[:3]])
    vectors = gallery.vectors().vectors

    of_pixels: Any = gallery.search(pixels, k=1)
    of_tensors: Any = gallery.search(torch.from_numpy(pixels).permute(0, 3, 1, 2), k=1)
    of_vectors: Any = gallery.search(vectors, k=1)

    assert [hits.ids for hits in of_pixels] == [[1], [2], [3]] == [h.ids for h in of_tensors]
    assert [hits.ids for hits in of_vectors] == [[n] for n in range(1, len(vectors) + 1)]


def test_a_bad_picture_does_not_stop_the_others(
    gallery: Gallery, album: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "notes.jpg"
    bad.write_text("no picture")

    with pytest.warns(RuntimeWarning, match="1 of 3 pictures cannot be read and have no hits: "):
        first, second, third = gallery.search([album[0], bad, album[2]], k=1)

    assert (first.ids, second.ids, third.ids) == ([1], [], [3])
    assert isinstance(second.error, PictureError)
    assert "notes.jpg" in repr(second)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (np.zeros((4, 4, 7), np.uint8), r"pixels are \(H, W, 3\) in RGB, these have the shape"),
        (np.full((4, 4, 3), 9, np.int64), "pixels are uint8, or floats from 0 to 1, these are int"),
        (torch.randn(3, 8, 8), "floats from 0 to 1 that are not normalized, these are float32"),
        (np.zeros(7, np.float32), "a query here has 1280 numbers"),
        (np.ones(1280, np.float32), "a query has length 1, got 35.77.*: divide it by its length"),
        ("no-such-cat.jpg", "no-such-cat.jpg: there is no file at this path"),
        (1.5, "an id is a whole number such as 17, got 1.5"),
        (True, "an id is a whole number such as 17, got True"),
    ],
)
def test_what_cannot_be_a_query_is_refused_in_one_line(
    gallery: Gallery, query: Any, message: str
) -> None:
    with pytest.raises((RequestError, PictureError), match=message) as caught:
        gallery.search(query)

    assert "\n" not in str(caught.value)


def test_a_filter_is_text_or_a_mapping(
    album: list[Path], tmp_path: Path, embedder: Embedder
) -> None:
    folder = str(album[0].parent)
    with Gallery.create(tmp_path / "g.kkcv", embedder) as gallery:
        gallery.index(folder, album[3].parent)
        count = gallery.describe_many(
            {
                p.id: {"label": "ab"[p.id % 2], "year": 2000 + p.id, "it's": {"b": 1}, "t": ["x"]}
                for p in gallery
            }
        )

        assert count == len(gallery)
        for mapping, text in (
            ({"label": "a"}, 'label == "a"'),
            ({"label": ["a", "b"]}, 'label in ["a", "b"]'),
            (
                {"year": {">=": 2003, "<": 2006}, "label": "b"},
                "label == 'b' and year in [2003, 2005]",
            ),
            ({"path": {"startswith": folder}}, f'path.startswith("{folder}")'),
            ({"added": {">=": date(2020, 1, 1)}}, 'added >= "2020-01-01"'),
            ({"missing": None}, "missing == None"),
            ({"it's": {"!=": None}}, 'meta["it\'s"] != None'),
            ({"t": {"contains": "x"}}, '"x" in t'),
        ):
            expected = gallery.search(album[0], where=text)
            assert expected.ids
            assert gallery.search(album[0], where=mapping) == expected
            assert gallery.count(mapping) == gallery.count(text)
            assert gallery.vectors(mapping).ids.tolist() == gallery.vectors(text).ids.tolist()
        with pytest.raises(RequestError, match="no sign '=>'; there are: ==, !=, <"):
            gallery.search(album[0], where={"year": {"=>": 2003}})


def test_describing_many_is_all_or_nothing(
    album: list[Path], tmp_path: Path, embedder: Embedder
) -> None:
    with Gallery.create(tmp_path / "g.kkcv", embedder) as gallery:
        gallery.index(album[0])

        with pytest.raises(UnknownPicture, match="no picture with id 9"):
            gallery.describe_many({1: {"label": "a"}, 9: {"label": "b"}})

        assert gallery[1].metadata == {}
        assert gallery.remove(1) == [1]


def test_indexing_is_a_method_and_says_what_came_in(
    album: list[Path], tmp_path: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(album[0].parents[1]))

    with Gallery.create(tmp_path / "g.kkcv", embedder) as gallery:
        report = gallery.index(f"~/{album[0].parent.name}")

        assert report.added == len(gallery) > 3
        hit = gallery.search(f"~/{album[0].parent.name}/{album[0].name}", k=1)[0]
        assert hit.path == str(album[0])


def test_vectors_come_with_their_ids_at_once_or_in_chunks(gallery: Gallery) -> None:
    ids, vectors = gallery.vectors()

    assert ids.tolist() == [picture.id for picture in gallery]
    assert (vectors.shape, vectors.dtype) == ((12, 1280), np.float32)
    chunks = list(gallery.vector_chunks(5))
    assert [len(chunk.ids) for chunk in chunks] == [5, 5, 2]
    assert np.array_equal(np.concatenate([chunk.vectors for chunk in chunks]), vectors)
    assert gallery.vectors(where="id > 99").vectors.shape == (0, 1280)


def test_duplicates_are_a_method(gallery: Gallery) -> None:
    groups = gallery.duplicates(0.9)

    assert groups
    assert all(len(group.pictures) > 1 for group in groups)


def test_a_folder_with_other_things_is_no_place_for_a_new_gallery(tmp_path: Path) -> None:
    (tmp_path / "taxes.txt").write_text("mine")

    with pytest.raises(NotAGallery, match="is a folder with other things in it; name a new folder"):
        Gallery.create(tmp_path)

    assert [each.name for each in tmp_path.iterdir()] == ["taxes.txt"]


def test_a_missing_gallery_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotAGallery, match="is not a gallery; to make one: kkcv index"):
        Gallery(tmp_path / "nothing.kkcv")


def test_a_gallery_of_another_network_is_not_opened(made_gallery: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbedderMismatch):
        Gallery(made_gallery, Embedder("lenet5", weights="none", runtime="pytorch"))


def test_an_embedder_takes_what_a_search_takes(
    embedder: Embedder, gallery: Gallery, album: list[Path]
) -> None:
    by_name = Embedder("EfficientNet_Lite0")

    vectors = by_name.embed([album[4], decode(album[4]), album[4].read_bytes()])

    assert by_name.space == embedder.space
    assert (vectors.shape, vectors.dtype) == ((3, 1280), np.float32)
    assert np.allclose(vectors, gallery.vectors().vectors[4], atol=2e-3)
    assert by_name.embed(str(album[4])).shape == (1280,)
    with pytest.raises(PictureError, match=r"nowhere\.jpg: there is no file at this path"):
        by_name.embed([album[4], "nowhere.jpg"])


def test_a_classifier_predicts_one_picture_or_several(album: list[Path]) -> None:
    classifier = Classifier()

    one, (first, second) = classifier.predict(album[0]), classifier.predict([album[0], album[5]])

    assert one == first == classifier.classify(album[0])
    assert len(one) == len(second) == 5


def test_times_are_dates_in_utc(gallery: Gallery) -> None:
    added = gallery[1].added

    assert added.tzinfo is UTC
    assert abs(datetime.now(UTC) - added) < timedelta(hours=1)


def test_a_notebook_shows_pictures(gallery: Gallery, album: list[Path]) -> None:
    hits = gallery.search(album[0], k=3)

    assert hits._repr_html_().count("data:image/jpeg;base64,") == 3
    assert f"{hits[1].score:.3f}" in hits._repr_html_()
    assert gallery._repr_html_().count("data:image/jpeg;base64,") == 8
    assert "efficientnet_lite0" in gallery._repr_html_()


def test_an_answer_is_a_short_table_and_a_table_elsewhere(
    gallery: Gallery, album: list[Path], tmp_path: Path
) -> None:
    import pandas as pd

    hits = gallery.search(album[0], k=3)

    lines = repr(hits).splitlines()
    assert lines[0].split() == ["rank", "score", "id", "path"]
    assert [line.split()[2] for line in lines[1:]] == [str(id) for id in hits.ids]
    frame = hits.to_pandas()
    assert frame["id"].tolist() == hits.ids
    assert frame["rank"].tolist() == [1, 2, 3]
    hits.to_csv(tmp_path / "hits.csv")
    hits.to_parquet(tmp_path / "hits.parquet")
    assert pd.read_csv(tmp_path / "hits.csv")["path"].tolist() == [hit.path for hit in hits]
    assert pd.read_parquet(tmp_path / "hits.parquet")["score"].tolist() == [h.score for h in hits]
    assert isinstance(hits[:2], Hits)
    assert (repr(hits[:0]), hits[:0].to_dicts()) == ("Hits: none", [])
    assert not hasattr(hits[0], "count")
    assert not hasattr(hits[0], "index")


def test_metadata_are_columns_of_their_own() -> None:
    hits = Hits(
        [Hit(1, 0.5, "a.jpg", {"label": "cat", "id": 9, "tags": ["x"]}), Hit(2, 0.4, "b", {})]
    )

    row, other = hits.to_dicts()

    assert (row["label"], row["metadata.id"], row["id"]) == ("cat", 9, 1)
    assert other["label"] is None
    assert '"[""x""]"' in hits.to_csv()


def test_searching_beside_other_work_is_one_line(gallery: Gallery, album: list[Path]) -> None:
    async def main() -> Hits:
        return await asyncio.to_thread(gallery.search, album[0], k=3)

    assert asyncio.run(main()) == gallery.search(album[0], k=3)


def test_editors_complete_the_options_of_a_search() -> None:
    for name in ("search", "search_id", "search_text", "search_like", "search_vector"):
        parameters = inspect.signature(getattr(Gallery, name)).parameters
        assert list(OPTIONS) == list(parameters)[-len(OPTIONS) :]
    words, options = get_type_hints(SearchWords), get_type_hints(SearchOptions)
    assert list(words) == list(OPTIONS)
    assert {n: t for n, t in words.items() if n != "where"} == {
        name: options[name] for name in OPTIONS if name != "where"
    }


def test_the_package_offers_its_public_names_alone() -> None:
    assert dir(kkcv) == sorted(kkcv.__all__)
    assert all(hasattr(kkcv, name) for name in kkcv.__all__)
    with pytest.raises(AttributeError, match="no attribute 'galery'; did you mean Gallery"):
        kkcv.galery  # noqa: B018
