"""Search options beside the picture, and the other questions to a gallery."""

import io
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile
from PIL import Image

from kkcv.client import Client
from kkcv.errors import AlreadyThere, KkcvError, PictureError, RequestError, UnknownPicture
from kkcv.hit import Hit
from kkcv.query import Like, Text
from kkcv.search.gallery import Gallery
from kkcv.serve.models.fields import HIT_FIELDS

from .conftest import Running, as_base64


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ([], {"id", "score"}),
        (["path"], {"id", "score", "path"}),
        (["metadata", "url"], {"id", "score", "metadata", "url"}),
        (None, {"id", "score", *HIT_FIELDS}),
    ],
)
def test_only_the_fields_that_are_asked_for_come(
    http: httpx.Client, album: list[Path], fields: list[str] | None, left: set[str]
) -> None:
    image = as_base64(album[0])
    hits = [
        *http.post("/v1/search", json={"image": image, "fields": fields}).json()["hits"],
        *http.post("/v1/search/like", json={"like": [{"id": 1}], "fields": fields}).json()["hits"],
    ]
    if fields:
        similar = http.get("/v1/images/1/similar", params={"fields": ",".join(fields)})
        hits += similar.json()["hits"]

    assert {frozenset(hit) for hit in hits} == {frozenset(left)}


@pytest.mark.parametrize(
    "fields", [["path", "url"], '["path", "url"]'], ids=["one by one", "as JSON"]
)
def test_a_form_names_fields_one_by_one_or_as_json(
    http: httpx.Client, album: list[Path], fields: object
) -> None:
    sent = {"fields": fields, "liked": "2", "k": "3"}

    answer = http.post("/v1/search", files={"image": album[0].read_bytes()}, data=sent)

    assert {frozenset(hit) for hit in answer.json()["hits"]} == {
        frozenset({"id", "score", "path", "url"})
    }
    assert 2 not in {hit["id"] for hit in answer.json()["hits"]}


def test_a_field_that_does_not_exist_is_refused(http: httpx.Client, album: list[Path]) -> None:
    answers = [
        http.post("/v1/search", json={"image": as_base64(album[0]), "fields": ["vector"]}),
        http.get("/v1/images/1/similar", params={"fields": "path,vector"}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["field"] for answer in answers] == ["fields.0", "fields"]


def test_an_order_can_be_asked_for_by_name(http: httpx.Client, album: list[Path]) -> None:
    rankings = http.get("/v1/model").json()["rankings"]
    question = {"image": as_base64(album[0]), "k": 12}

    answers = {
        name: http.post("/v1/search", json={**question, "ranking": name}) for name in rankings
    }
    unknown = http.post("/v1/search", json={**question, "ranking": "wurst"})

    assert {"plain", "best"} <= set(rankings)
    for answer in answers.values():
        assert answer.status_code == 200
        assert sorted(hit["id"] for hit in answer.json()["hits"]) == list(range(1, 13))
    assert unknown.json()["detail"].startswith("ranking must be one of plain, ")
    assert unknown.json()["detail"].endswith(", got 'wurst'")


def test_hits_can_be_folded_and_cut_off(client: Client, http: httpx.Client) -> None:
    one_by_one = client.search_id(1, k=12)
    folded = client.search_id(1, k=12, fold=0.6)
    few = http.get("/v1/images/1/similar", params={"max_chance": 0.01})

    assert len(folded) < len(one_by_one)
    assert {hit.id for hit in one_by_one} == {id for hit in folded for id in (hit.id, *hit.folded)}
    assert (few.status_code, few.json()["field"]) == (422, "max_chance")  # of twelve pictures


def test_a_verified_hit_says_where_it_shows_the_same(client: Client, album: list[Path]) -> None:
    first = client.search(album[0], k=3, verify=True, fields=["place", "path"])[0]

    assert first.path == str(album[0])
    assert first.place is not None
    assert np.allclose(first.place, [(0, 0), (1, 0), (1, 1), (0, 1)], atol=0.05)


def test_feedback_moves_the_question(client: Client, album: list[Path]) -> None:
    plain = client.search(album[0], k=12)
    liked, unliked = plain[-1].id, plain[1].id

    moved = client.search(album[0], k=12, liked=[liked], unliked=[unliked])

    ids = [hit.id for hit in moved]
    assert not {liked, unliked} & set(ids)  # what was judged is not shown again
    assert ids != [hit.id for hit in plain if hit.id in ids]
    with pytest.raises(KkcvError, match=f"picture {liked} cannot be both liked and unliked"):
        client.search(album[0], liked=[liked], unliked=[liked])
    with pytest.raises(UnknownPicture, match="no picture with id 99"):
        client.search(album[0], liked=[99])


def test_several_searches_and_weights_by_the_client(client: Client, album: list[Path]) -> None:
    one, two = client.search_batch(album[:2], k=3, min_score=0.1)
    both = client.search_like([Like(album[0]), Like(5, -0.3)], k=3, fields=["path"])

    assert [one, two] == [client.search(path, k=3, min_score=0.1) for path in album[:2]]
    assert both[0].path == str(album[0])
    assert both[0].url == ""


def test_a_picture_is_put_in_place_of_another(
    client: Client, stranger: Path, pictures: Path, album: list[Path]
) -> None:
    other = sorted((pictures / "cats_dogs" / "val" / "dogs").iterdir())[0]
    id = client.add(stranger, {"title": "Minka"}).id
    try:
        replaced = client.replace(id, other)
        found = client.search(other, k=1)[0]
        renamed = client.replace(id, other, {"title": "Rex"})
        with pytest.raises(AlreadyThere, match="the gallery has this picture, with id 1"):
            client.replace(id, client.file(1))
        with pytest.raises(UnknownPicture):
            client.replace(99_999, other)
        with pytest.raises(PictureError):
            client.replace(id, b"no picture")
        file = client.file(id)
    finally:
        client.remove(id)

    assert (replaced.id, replaced.metadata) == (id, {"title": "Minka"})
    assert (found.id, renamed.metadata) == (id, {"title": "Rex"})
    assert file == other.read_bytes()


def test_pictures_are_listed_by_filter_and_from_either_end(
    client: Client, http: httpx.Client
) -> None:
    newest = client.page(5, newest=True)
    rest = client.page(500, newest[-1].id, newest=True)
    some = list(client.pictures("id >= 3 and id < 6"))
    wrong = http.get("/v1/images", params={"where": "id =="})

    assert [picture.id for picture in newest + rest] == list(range(12, 0, -1))
    assert [picture.id for picture in some] == [3, 4, 5]
    assert client.count("id >= 3 and id < 6") == 3
    assert client.count() == 12
    assert (wrong.status_code, wrong.json()["field"]) == (422, "where")


def test_duplicates_come_in_groups(client: Client, http: httpx.Client) -> None:
    groups = client.duplicates(0.6)
    first = http.get("/v1/duplicates", params={"min_score": 0.6, "limit": 1}).json()

    assert [group.ids for group in groups[:2]] == [[1, 2, 3], [4, 5, 6]]
    assert all(0.6 <= group.similarity <= 1 and not group.exact for group in groups)
    assert (len(first["groups"]), first["total"]) == (1, len(groups))
    assert client.duplicates(1.0) == []


def test_several_pictures_are_added_each_with_its_own_end(
    client: Client, stranger: Path, album: list[Path]
) -> None:
    new, known, bad = client.add_many([(stranger, {"n": 1}), (album[0], {}), (b"no picture", {})])
    assert not isinstance(new, KkcvError)
    client.remove(new.id)

    assert new.metadata == {"n": 1}
    assert not isinstance(known, KkcvError)
    assert known.path == str(album[0])
    assert isinstance(bad, PictureError)
    assert bad.reason == "not-an-image"


def test_why_two_pictures_match_is_told_and_drawn(
    client: Client, album: list[Path], http: httpx.Client
) -> None:
    found = client.explain(album[0], 2)
    drawn = client.explanation(1, 2)

    score = client.search(album[0], k=12)[1].score
    for side in (found.query, found.hit):
        assert np.sum(side.heat) + side.rest == pytest.approx(found.score, abs=1e-4)
    assert found.score == pytest.approx(score, abs=5e-3)
    with Image.open(io.BytesIO(drawn)) as picture:
        assert (picture.format, min(picture.size) > 300) == ("PNG", True)
    with pytest.raises(UnknownPicture):
        client.explain(album[0], 99)
    with pytest.raises(PictureError):
        client.explain(album[0], b"no picture")
    wrong = http.post("/v1/explain", json={"query": {"id": 1}, "hit": {"image": "!"}})
    assert wrong.json()["field"] == "hit.image"


def test_a_picture_that_pillow_does_not_open_is_explained_too(client: Client) -> None:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).random((64, 80, 3), np.float32)
    tifffile.imwrite(file, pixels, photometric="rgb")

    assert -1 <= client.explain(file.getvalue(), 2).score <= 1


def test_a_network_that_does_not_read_says_so(client: Client, http: httpx.Client) -> None:
    likes = {"like": [{"text": "a red bus"}, {"id": 1}]}

    answers = [
        http.post("/v1/search/text", json={"text": "a red bus"}),
        http.post("/v1/search/like", json=likes),
    ]

    assert client.model().text is False
    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["field"] for answer in answers] == ["text", "like"]
    for ask in (client.search_text, lambda text: client.search_like([Like(Text(text))])):
        with pytest.raises(RequestError, match="made by efficientnet_lite0, which reads no text"):
            ask("a red bus")


def test_the_client_loads_nothing_that_embeds_or_searches() -> None:
    import subprocess
    import sys

    heavy = ("kkcv.search", "kkcv.embedding", "torch", "faiss", "openvino", "flask", "numpy")
    code = f"import kkcv.client, sys\nprint([m for m in sys.modules if m.startswith({heavy})])"

    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_the_model_says_what_can_be_asked_of_it(client: Client, service: Running) -> None:
    model = client.model()

    assert model.network == "efficientnet_lite0"
    assert model.dim == 1280
    assert model.rankings[0] == "plain"


def test_an_error_names_the_field_at_fault(
    client: Client, http: httpx.Client, album: list[Path]
) -> None:
    image = as_base64(album[0])
    few = {"image": image, "max_chance": 0.01}  # not known among twelve pictures
    asked: list[tuple[str, dict, str]] = [
        ("search", few, "max_chance"),
        ("search", {"image": image, "liked": [1], "unliked": [1]}, "unliked"),
        ("batch/search", {"queries": [{"image": image}, few]}, "queries.1.max_chance"),
        ("search/like", {"like": [{"id": 1}], "max_chance": 0.01}, "max_chance"),
        ("search/like", {"like": [{"id": 1}], "where": "id =="}, "where"),
        ("search/text", {"text": "a cat", "where": "id =="}, "where"),
    ]

    for path, question, field in asked:
        answer = http.post(f"/v1/{path}", json=question)
        assert (answer.status_code, answer.json()["field"]) == (422, field), path
    with pytest.raises(RequestError) as error:
        client.search(album[0], max_chance=0.01)
    assert error.value.field == "max_chance"


def test_a_hit_of_the_client_is_that_of_a_gallery_with_an_address(
    client: Client, service: Running, album: list[Path]
) -> None:
    with Gallery.open(service.folder) as gallery:
        here = gallery.search_id(1, k=3)
    there = client.search_id(1, k=3)

    assert [type(hit) for hit in there] == [Hit] * 3
    assert [hit.url for hit in there] == [f"/v1/images/{hit.id}/file" for hit in here]
    for ours, theirs in zip(here, there, strict=True):
        assert replace(theirs, url="", score=0) == replace(ours, score=0)
        assert theirs.score == pytest.approx(ours.score, abs=1e-6)
