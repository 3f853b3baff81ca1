"""Searching over HTTP: the picture as base64, as a file, by id, in parts, and several at once."""

import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from PIL import Image

from kkcv.embedding.embedder import Embedder
from kkcv.query import Like
from kkcv.search.gallery import Gallery
from kkcv.serve.models.fields import HIT_FIELDS

from .conftest import Running, as_base64


def search(http: httpx.Client, **question: object) -> list[dict]:
    answer = http.post("/v1/search", json=question)
    assert answer.status_code == 200, answer.text
    return answer.json()["hits"]


def test_a_picture_of_the_gallery_comes_first(http: httpx.Client, album: list[Path]) -> None:
    for path in album[::3]:
        hits = search(http, image=as_base64(path), k=3)

        assert hits[0]["path"] == str(path)
        assert hits[0]["score"] == pytest.approx(1, abs=2e-3)
        assert {Path(h["path"]).parent for h in hits} == {path.parent}  # its other sizes follow


def test_the_answer_is_what_python_gets(
    http: httpx.Client, album: list[Path], service: Running, embedder: Embedder, stranger: Path
) -> None:
    with Gallery.open(service.folder, embedder) as gallery:
        expected = gallery.search(stranger, k=12)

    hits = search(http, image=as_base64(stranger), k=12)

    assert [h["id"] for h in hits] == [h.id for h in expected]
    assert [h["score"] for h in hits] == pytest.approx([h.score for h in expected], abs=1e-4)
    assert [h["path"] for h in hits] == [h.path for h in expected]
    assert set(hits[0]) == {"id", "score", *HIT_FIELDS}


def spoiled(text: str) -> dict[str, str]:
    """The same base64 in all the ways that people send it."""
    safe = text.replace("+", "-").replace("/", "_")
    return {
        "plain": text,
        "data URL": f"data:image/jpeg;base64,{text}",
        "URL-safe": safe,
        "without padding": text.rstrip("="),
        "in lines": "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
    }


@pytest.mark.parametrize("way", spoiled(""))
def test_base64_is_taken_in_every_usual_form(
    http: httpx.Client, album: list[Path], way: str
) -> None:
    hits = search(http, image=spoiled(as_base64(album[5]))[way], k=1)

    assert hits[0]["path"] == str(album[5])


def test_a_file_can_be_sent_as_a_form(http: httpx.Client, album: list[Path]) -> None:
    answer = http.post(
        "/v1/search",
        files={"image": ("x.jpg", album[4].read_bytes())},
        data={"k": "2", "min_score": "0.5"},
    )

    assert answer.status_code == 200
    assert answer.json()["hits"] == search(http, image=as_base64(album[4]), k=2)


@pytest.mark.parametrize(("k", "hits"), [(1, 1), (5, 5), (7.0, 7), (1000, 12)])
def test_k_is_how_many_come(http: httpx.Client, album: list[Path], k: float, hits: int) -> None:
    assert len(search(http, image=as_base64(album[0]), k=k)) == hits


def test_ten_come_when_k_is_not_said(http: httpx.Client, album: list[Path]) -> None:
    assert len(search(http, image=as_base64(album[0]))) == 10


def test_only_hits_above_the_lowest_score_come(http: httpx.Client, album: list[Path]) -> None:
    every = search(http, image=as_base64(album[0]), k=12)
    limit = every[4]["score"]

    assert search(http, image=as_base64(album[0]), k=12, min_score=limit) == every[:5]


def test_a_part_of_the_picture_can_be_the_question(
    http: httpx.Client, album: list[Path], stranger: Path
) -> None:
    """Two photographs side by side: each half finds its own."""
    left, right = (Image.open(path).convert("RGB").resize((300, 300)) for path in album[:6:5])
    both = Image.new("RGB", (600, 300))
    both.paste(left, (0, 0))
    both.paste(right, (300, 0))
    file = io.BytesIO()
    both.save(file, "PNG")
    image = base64.b64encode(file.getvalue()).decode()

    halves = [
        search(http, image=image, k=1, region={"left": x, "top": 0, "width": 0.5, "height": 1})
        for x in (0, 0.5)
    ]

    assert [Path(hits[0]["path"]).parent for hits in halves] == [album[0].parent, album[5].parent]


def test_the_smallest_region_is_one_pixel(http: httpx.Client, album: list[Path]) -> None:
    region = {"left": 0.9999, "top": 0, "width": 1e-9, "height": 1e-9}

    assert len(search(http, image=as_base64(album[0]), k=1, region=region)) == 1


def test_a_region_beyond_the_picture_is_refused(http: httpx.Client, album: list[Path]) -> None:
    region = {"left": 0.5, "top": 0, "width": 0.6, "height": 1}

    answer = http.post("/v1/search", json={"image": as_base64(album[0]), "region": region})

    assert (answer.status_code, answer.json()["field"]) == (422, "region")
    assert answer.json()["detail"].endswith("inside of the picture, got 0.5, 0, 0.6, 1")


def test_a_filter_is_asked_before_the_nearest_are_chosen(
    http: httpx.Client, album: list[Path]
) -> None:
    """The allowed pictures are the farthest of all."""
    every = search(http, image=as_base64(album[0]), k=12)
    last = every[-2:]
    where = f"id in {[hit['id'] for hit in last]}"

    assert search(http, image=as_base64(album[0]), k=2, where=where) == last
    first = every[0]["id"]
    similar = http.get(f"/v1/images/{first}/similar", params={"k": 2, "where": where})
    assert [h["id"] for h in similar.json()["hits"]] == [h["id"] for h in last]


@pytest.mark.parametrize("where", ["import os", "label ==", "not " * 490 + "x == 1"])
def test_what_is_no_filter_is_refused(http: httpx.Client, album: list[Path], where: str) -> None:
    body = json.dumps({"image": as_base64(album[0]), "where": where})

    answer = http.post("/v1/search", content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["field"]) == (422, "where")


def test_several_pictures_make_one_question(
    http: httpx.Client, album: list[Path], service: Running, embedder: Embedder, stranger: Path
) -> None:
    with Gallery.open(service.folder, embedder) as gallery:
        first = gallery.page(1)[0].id
        likes = [Like(stranger), Like(first, -0.5), Like(album[6], 2.0)]
        expected = gallery.search_like(likes, k=5)
    parts = [
        {"image": as_base64(stranger)},
        {"id": first, "weight": -0.5},
        {"image": as_base64(album[6]), "weight": 2},
    ]

    hits = http.post("/v1/search/like", json={"like": parts, "k": 5}).json()["hits"]

    assert [h["id"] for h in hits] == [h.id for h in expected]
    assert first not in [h["id"] for h in hits]
    assert [h["score"] for h in hits] == pytest.approx([h.score for h in expected], abs=1e-4)


@pytest.mark.parametrize(
    ("like", "status", "field"),
    [
        ([], 422, "like"),
        ([{"id": 10**6}], 404, None),
        ([{"id": 1, "weight": -1}], 422, "like"),
        ([{"image": "!"}], 422, "like.0.image"),
        ([{"id": 1}, {"image": "aGVsbG8gd29ybGQ="}], 415, "like"),
        (
            [{"id": 1, "region": {"left": 1, "top": 0, "width": 1, "height": 1}}],
            422,
            "like.0.region",
        ),
    ],
)
def test_a_part_of_the_question_that_is_wrong_is_named(
    http: httpx.Client, like: list, status: int, field: str | None
) -> None:
    answer = http.post("/v1/search/like", json={"like": like})

    assert answer.status_code == status
    assert answer.json().get("field") == field


@pytest.mark.parametrize(("lang", "label"), [("en", "ant"), ("zh", "蚂蚁")])
def test_what_a_picture_shows_is_named(
    http: httpx.Client, album: list[Path], lang: str, label: str
) -> None:
    question = {"image": as_base64(album[0]), "top": 3, "lang": lang}

    guesses = http.post("/v1/classify", json=question).json()["guesses"]

    assert guesses[0]["label"] == label
    assert len(guesses) == 3
    probabilities = [guess["probability"] for guess in guesses]
    assert probabilities == sorted(probabilities, reverse=True)


def test_similar_finds_the_others_and_not_the_picture_itself(
    http: httpx.Client, album: list[Path]
) -> None:
    itself, *others = search(http, image=as_base64(album[3]), k=12)

    answer = http.get(f"/v1/images/{itself['id']}/similar", params={"k": 11})

    hits = answer.json()["hits"]
    assert itself["id"] not in [h["id"] for h in hits]
    assert {h["id"] for h in hits} == {h["id"] for h in others}
    assert Path(hits[0]["path"]).parent == album[3].parent


def test_several_searches_at_once_answer_as_one_by_one(
    http: httpx.Client, album: list[Path]
) -> None:
    questions = [{"image": as_base64(path), "k": k} for k, path in enumerate(album[:3], 1)]

    answer = http.post("/v1/batch/search", json={"queries": questions})

    assert answer.status_code == 200
    assert [r["hits"] for r in answer.json()["results"]] == [search(http, **q) for q in questions]


def test_a_batch_names_the_query_at_fault(http: httpx.Client, album: list[Path]) -> None:
    good, bad = {"image": as_base64(album[0])}, {"image": "aGVsbG8gd29ybGQ="}

    answer = http.post("/v1/batch/search", json={"queries": [good, bad]})

    assert answer.status_code == 415
    assert answer.json()["field"] == "queries.1.image"


@pytest.mark.parametrize("way", ["urlencoded", "multipart"])
def test_clients_of_the_first_demo_still_get_their_answer(
    http: httpx.Client, album: list[Path], way: str
) -> None:
    form = {"image": as_base64(album[2]), "k": "4"}

    if way == "urlencoded":
        answer = http.post("/search", data=form)
    else:
        answer = http.post("/search", files={"image": album[2].read_bytes()}, data={"k": "4"})

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"code", "message", "data"}
    assert (body["code"], len(body["data"])) == (200, 4)
    assert body["data"][0] == {
        "image_path": str(album[2]),
        "similarity": pytest.approx(1, abs=2e-3),
    }


def test_clients_of_the_first_demo_learn_what_is_wrong_where_they_look(http: httpx.Client) -> None:
    answer = http.post("/search", data={"image": "aGVsbG8gd29ybGQ="})

    assert answer.status_code == 415
    body = answer.json()
    assert (body["code"], body["data"]) == (415, [])
    assert (
        body["message"] == body["detail"] == "these 11 bytes are of no image format that is known"
    )


def test_the_service_does_without_torch() -> None:
    code = "import sys, kkcv.serve.run; print([n for n in ('torch', 'timm') if n in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout == "[]\n"
