"""Search by text, where the gallery's network reads."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from kkcv.adapters import texts
from kkcv.embedding.embedder import Embedder
from kkcv.embedding.space import unit
from kkcv.errors import RequestError
from kkcv.query import Like, Text
from kkcv.search.gallery import Gallery
from kkcv.search.learning.feedback import rocchio
from kkcv.serve.app import create_app
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings


@pytest.fixture(scope="module")
def gallery(
    open_clip_folder: Path, album: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gallery]:
    embedder = Embedder.load(
        f"open_clip:{open_clip_folder}", runtime="pytorch", precision="float32", device="cpu"
    )
    with Gallery.create(tmp_path_factory.mktemp("text") / "gallery", embedder) as made:
        for path in album:
            made.add(path)
        yield made


def test_a_text_finds_the_pictures_that_lie_nearest_to_it(
    gallery: Gallery, open_clip_folder: Path
) -> None:
    import open_clip

    hits = gallery.search_text("a red bus", k=12)

    model = open_clip.create_model(f"local-dir:{open_clip_folder}").eval()
    with torch.no_grad():
        text = model.encode_text(open_clip.get_tokenizer("ViT-B-32")(["a red bus"]))
    with gallery.catalog.reading() as rows:
        ids, vectors = next(iter(rows.vectors()))
    scores = vectors @ unit(text.numpy())[0]
    assert [hit.id for hit in hits] == ids[np.argsort(-scores)].tolist()
    assert hits[0].score == pytest.approx(scores.max(), abs=1e-3)


def test_a_text_can_be_refined_by_pictures(gallery: Gallery) -> None:
    hits = gallery.search_like(rocchio(Like(Text("a cat")), liked=[3], unliked=[5]), k=12)

    assert {3, 5}.isdisjoint({hit.id for hit in hits})
    assert len(hits) == 10


def test_an_opened_gallery_knows_that_its_network_reads(gallery: Gallery) -> None:
    with Gallery.open(gallery.folder) as opened:
        assert opened.space.text


def test_a_network_that_does_not_read_says_so(made_gallery: Path) -> None:
    with Gallery.open(made_gallery) as opened:
        assert not opened.space.text
        with pytest.raises(RequestError) as error:
            opened.search_text("a red bus")
    assert str(error.value) == (
        f"{made_gallery} was made by efficientnet_lite0, which reads no text; "
        "siglip2-base and others of kkcv models do: "
        "kkcv reindex GALLERY --model siglip2-base"
    )


def test_an_empty_text_is_no_question(gallery: Gallery) -> None:
    with pytest.raises(RequestError, match="the text to search for is empty"):
        gallery.search_text("  ")


def test_transformers_reads_as_transformers_does(clip_folder: Path) -> None:
    from transformers import CLIPModel, CLIPTokenizer

    ours = texts(f"transformers:{clip_folder}", "imagenet")(["a red bus", "cat"])

    tokenize = CLIPTokenizer.from_pretrained(clip_folder)
    theirs = CLIPModel.from_pretrained(clip_folder).eval()
    for row, text in zip(ours, ("a red bus", "cat"), strict=True):
        with torch.no_grad():
            expected = theirs.get_text_features(**tokenize([text], return_tensors="pt"))
        np.testing.assert_allclose(row, expected.pooler_output[0].numpy(), atol=1e-5)


def test_networks_of_the_zoo_read_nothing() -> None:
    with pytest.raises(RequestError, match="resnet18 reads no text"):
        texts("resnet18", "imagenet")


def test_the_space_of_other_galleries_is_what_it_was(embedder: Embedder) -> None:
    """Old fingerprints must not change: only a space with texts says so."""
    assert "text" not in json.dumps(embedder.space.to_dict())


def test_a_text_finds_the_same_over_http(gallery: Gallery) -> None:
    service = Service(gallery, Settings())
    service.load()
    client = create_app(service).test_client()
    likes = {"like": [{"text": "a red bus"}, {"id": 3, "weight": 0.5}]}

    hits = client.post("/v1/search/text", json={"text": "a red bus", "k": 3}).json["hits"]
    mixed = client.post("/v1/search/like", json=likes)
    blank = client.post("/v1/search/text", json={"text": "  "})
    verified = client.post("/v1/search/text", json={"text": "a red bus", "verify": True})

    assert client.get("/v1/model").json["text"] is True
    assert [hit["id"] for hit in hits] == [hit.id for hit in gallery.search_text("a red bus", k=3)]
    assert mixed.status_code == 200
    assert (blank.status_code, blank.json["field"]) == (422, "text")
    assert (verified.status_code, verified.json["field"]) == (422, "verify")
