"""A picture as the whole body of a request."""

from pathlib import Path

import httpx
import pytest

from kkcv.client import Client

from .conftest import as_base64

JPEG = {"Content-Type": "image/jpeg"}


def test_a_picture_alone_is_a_query_and_the_address_has_the_rest(
    http: httpx.Client, album: list[Path]
) -> None:
    sent = album[0].read_bytes()
    answer = http.post(
        "/v1/search?k=2&min_score=-0.5&fields=path&fields=url", content=sent, headers=JPEG
    )
    same = http.post(
        "/v1/search",
        json={"image": as_base64(album[0]), "k": 2, "min_score": -0.5, "fields": ["path", "url"]},
    )

    assert answer.status_code == 200
    assert len(answer.json()["hits"]) == 2
    assert answer.json() == same.json()


def test_a_picture_alone_can_be_added(http: httpx.Client, client: Client, stranger: Path) -> None:
    answer = http.post(
        '/v1/images?metadata={"title": "Minka"}', content=stranger.read_bytes(), headers=JPEG
    )
    client.remove(answer.json()["id"])

    assert answer.status_code == 201
    assert answer.json()["metadata"] == {"title": "Minka"}


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("?k=ten", "k must be a whole number"),
        ("?k=1&k=2", "k was sent more than once"),
        ("?top=1", "top is not a field here; there are: "),
        ("?image=x", "image was sent more than once"),
    ],
)
def test_what_is_wrong_in_the_address_is_named(
    http: httpx.Client, album: list[Path], query: str, detail: str
) -> None:
    answer = http.post(f"/v1/search{query}", content=album[0].read_bytes(), headers=JPEG)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(detail)


def test_an_address_without_parameters_says_that_there_are_none(http: httpx.Client) -> None:
    refused = "is not a field here: this route takes no query parameters"

    assert http.get("/v1/stats?k=1").json()["detail"] == f"k {refused}"
    answer = http.post("/v1/search?k=1&top=1", json={})
    assert answer.json()["detail"] == f"k {refused}; send it in the body"
    assert answer.json()["errors"][1] == {"field": "top", "detail": refused}
