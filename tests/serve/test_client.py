"""The Python client, against the real service: the words of a gallery, and its errors."""

import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest

from kkcv.client import Client
from kkcv.errors import PictureError, RequestError, ServiceError, UnknownPicture
from kkcv.query import Like, Region

from .conftest import Running, running


def test_a_search_finds_what_a_gallery_finds(client: Client, album: list[Path]) -> None:
    with album[2].open("rb") as file:
        answers = [
            client.search(picture, k=3)
            for picture in (album[2], str(album[2]), album[2].read_bytes(), file)
        ]

    for hits in answers:
        assert len(hits) == 3
        assert hits[0].path == str(album[2])
        assert hits[0].score == pytest.approx(1, abs=2e-3)


def test_a_search_can_be_narrowed(client: Client, album: list[Path]) -> None:
    whole = client.search(album[0], k=12)

    narrowed = client.search(album[0], k=12, min_score=whole[2].score)
    part = client.search(album[0], k=1, region=Region(left=0, top=0, width=0.5, height=0.5))

    among = client.search(album[0], k=1, where=f"id == {whole[7].id}")
    similar = client.search_id(whole[0].id, k=1, where=f"id == {whole[7].id}")

    assert narrowed == whole[:3]
    assert among == [whole[7]]
    assert similar[0].id == whole[7].id
    assert part[0].score < 0.999


def test_many_pictures_come_in_the_order_of_their_ids_and_the_unknown_are_left_out(
    client: Client,
) -> None:
    listed = client.page(12)
    unknown = range(2**63 - 200, 2**63 - 1)
    wanted = [listed[7].id, *unknown, listed[2].id, listed[5].id]

    assert client.get_many(wanted) == [listed[7], listed[2], listed[5]]
    assert client.get_many([]) == []


def test_a_picture_is_added_described_and_removed(client: Client, stranger: Path) -> None:
    added = client.add(stranger, {"title": "猫"})
    again = client.add(stranger.read_bytes())
    described = client.describe(added.id, {"title": "cat"})
    found = client.search(stranger, k=1)[0]
    file = client.file(added.id)
    client.remove(added.id)

    assert again == added
    assert (added.new, again.new) == (True, False)
    assert (added.metadata, described.metadata) == ({"title": "猫"}, {"title": "cat"})
    assert found.id == added.id
    assert file == stranger.read_bytes()
    for ask in (client.get, client.remove, client.file, client.thumbnail, client.search_id):
        with pytest.raises(UnknownPicture, match=f"no picture with id {added.id}"):
            ask(added.id)


def test_all_pictures_come_page_by_page(client: Client, album: list[Path]) -> None:
    listed = list(client.pictures())

    assert sorted(picture.path for picture in listed) == sorted(map(str, album))
    assert listed[0] == client.get(listed[0].id)
    assert client.stats().pictures == len(listed)
    assert client.thumbnail(listed[0].id, 128).startswith(b"\xff\xd8\xff")
    assert listed[0].id not in [hit.id for hit in client.search_id(listed[0].id)]


def test_it_raises_what_a_gallery_raises(client: Client, pictures: Path) -> None:
    with pytest.raises(PictureError, match="of no image format that is known") as raised:
        client.search(b"hello world")
    assert raised.value.reason == "not-an-image"
    with pytest.raises(RequestError, match="k must be a whole number from 1 to 1000, got 0"):
        client.search(pictures / "nasty" / "webp" / "flower.webp", k=0)


def test_what_no_request_can_say_is_refused_as_a_gallery_does(client: Client) -> None:
    for call, said in (
        (lambda: client.get("abc"), "an id is a whole number such as 17, got 'abc'"),
        (lambda: client.search_id("1"), "an id is a whole number such as 17, got '1'"),
        (lambda: client.remove_many(["1"]), "an id is a whole number such as 17, got '1'"),
        (lambda: client.describe(1, [1]), "metadata is a dict, got "),
        (lambda: client.describe(1, None), "metadata is a dict, got None"),
        (lambda: client.describe(1, {"a": object()}), "metadata must be what JSON can hold"),
        (lambda: client.describe(1, {"a": float("nan")}), "metadata has a number in it that is "),
        (lambda: client.add(b"a", {1: "a"}), "metadata must have texts as keys, not 1"),
        (lambda: client.search_id(1, min_score=float("nan")), "a number of the request is not "),
        (lambda: client.search_id(1, fold={1}), "a request is what JSON can hold: "),
        (lambda: client.search(b"a", region=(0, 0, 1, 1)), "a region is Region(left, top, width, "),
        (
            lambda: Like(1, region=(0, 0, 1, 1)),
            "a region is Region(left, top, width, height), got ",
        ),
        (lambda: client.search_like([]), "at least one picture must count with a positive"),
        (
            lambda: client.search_like(["cat.jpg"]),
            "a part of a query is Like(picture), got 'cat.jpg'",
        ),
    ):
        with pytest.raises(RequestError, match=re.escape(said)):
            call()


def test_numbers_of_numpy_are_numbers(client: Client) -> None:
    hits = client.search_id(np.int64(1), k=np.int64(2), min_score=np.float32(-1))

    assert len(hits) == 2
    assert [hit.id for hit in client.search_like([Like(1, np.float32(1))], k=np.int64(2))] == [
        hit.id for hit in hits
    ]


def test_a_filter_may_be_a_mapping(client: Client, album: list[Path]) -> None:
    third = {"id": np.int64(3)}

    assert client.count(third) == len(client.page(where=third)) == 1
    assert [picture.id for picture in client.pictures(third)] == [3]
    for hits in (
        client.search(album[0], where=third),
        *client.search_batch([album[0]], where=third),
        client.search_id(1, where=third),
        client.search_like([Like(1)], where=third),
    ):
        assert [hit.id for hit in hits] == [3]


def test_every_search_may_ask_for_some_fields(client: Client, album: list[Path]) -> None:
    for hits in (
        client.search(album[0], 2, fields=["path"]),
        *client.search_batch([album[0]], 2, fields=["path"]),
        client.search_id(1, 2, fields=["path"]),
        client.search_like([Like(1)], 2, fields=["path"]),
    ):
        assert [(bool(hit.path), hit.url) for hit in hits] == [(True, "")] * 2


def test_it_may_stand_in_a_with_and_its_repr_tells_no_key(client: Client) -> None:
    with Client(client.address, api_key="secret") as service:
        assert service.ready()

    assert repr(service) == f"Client('{client.address}')"


def test_it_sends_the_key(folder_with_key: tuple[Running, str]) -> None:
    running, key = folder_with_key

    assert Client(running.address, api_key=key).stats().pictures == 12
    with pytest.raises(ServiceError, match="answers 401: the API key is missing") as raised:
        Client(running.address).stats()
    assert raised.value.status == 401
    assert Client(running.address).ready()


@pytest.fixture
def folder_with_key(made_gallery: Path) -> Iterator[tuple[Running, str]]:
    with running(made_gallery, KKCV_API_KEY="secret-key") as started:
        yield started, "secret-key"


def test_a_service_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}")

    assert not client.ready()
    with pytest.raises(ServiceError, match=f"http://127.0.0.1:{port} does not answer: "):
        client.stats()


def test_a_server_that_is_another_is_told() -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.handle_request).start()

        with pytest.raises(ServiceError, match=r"answers 404; is it a kkcv service\?"):
            Client(f"http://127.0.0.1:{server.server_port}").stats()


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://x", "http://", ""])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(RequestError, match="an address is like http"):
        Client(address)


def test_it_names_what_a_picture_shows(client: Client, album: list[Path]) -> None:
    guesses = client.classify(album[0], top=2, lang="zh")

    assert guesses[0].label == "蚂蚁"
    assert len(guesses) == 2
