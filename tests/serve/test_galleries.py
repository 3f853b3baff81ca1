"""Several galleries in one service, and a service below a path."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flask.testing import FlaskClient

from kkcv.client import Client
from kkcv.embedding.embedder import Embedder
from kkcv.errors import ServiceError
from kkcv.search.gallery import Gallery
from kkcv.serve.app import create_app
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings

from .conftest import as_base64, running


@pytest.fixture
def shop(made_gallery: Path, tmp_path: Path) -> Path:
    """A second gallery, with four pictures."""
    folder = Path(shutil.copytree(made_gallery, tmp_path / "shop.kkcv"))
    with Gallery.open(folder) as gallery:
        gallery.remove([picture.id for picture in gallery.pictures()][4:])
    return folder


@pytest.fixture
def both(made_gallery: Path, shop: Path) -> Iterator[FlaskClient]:
    with Gallery.open(made_gallery) as first, Gallery.open(shop) as second:
        service = Service(first, Settings(base_path="", trusted_proxy=("10.0.0.1",)))
        Service(second, Settings(), service)
        service.load()
        yield create_app(service).test_client()
        service.close()


def test_the_first_is_at_v1_and_each_by_its_name(both: FlaskClient, album: list[Path]) -> None:
    listed = both.get("/v1/galleries").get_json()["galleries"]
    query = {"image": as_base64(album[0]), "k": 12}

    found = {
        address: both.post(f"{address}/search", json=query).get_json()["hits"]
        for address in ("/v1", "/v1/galleries/gallery", "/v1/galleries/shop")
    }

    assert [(each["name"], each["pictures"]) for each in listed] == [("gallery", 12), ("shop", 4)]
    assert [each["url"] for each in listed] == ["/v1", "/v1/galleries/shop"]
    assert len(found["/v1"]) == 12
    assert found["/v1/galleries/gallery"] == found["/v1"]
    assert len(found["/v1/galleries/shop"]) == 4
    for hit in found["/v1/galleries/shop"]:
        assert hit["url"] == f"/v1/galleries/shop/images/{hit['id']}/file"
        assert both.get(hit["url"]).data == Path(hit["path"]).read_bytes()


def test_what_is_added_to_one_is_not_in_the_other(both: FlaskClient, stranger: Path) -> None:
    made = both.post("/v1/galleries/shop/images", json={"image": as_base64(stranger)})

    counts = {each["name"]: each["pictures"] for each in _galleries(both)}
    assert made.headers["Location"] == f"/v1/galleries/shop/images/{made.get_json()['id']}"
    assert both.get(made.headers["Location"]).status_code == 200
    assert counts == {"gallery": 12, "shop": 5}


def _galleries(client: FlaskClient) -> list[dict]:
    return list(client.get("/v1/galleries").get_json()["galleries"])


def test_an_unknown_gallery_is_named_beside_those_there_are(both: FlaskClient) -> None:
    answer = both.get("/v1/galleries/shoes/stats")

    assert answer.status_code == 404
    assert answer.get_json()["type"] == "/problems/unknown-gallery"
    assert answer.get_json()["detail"] == "no gallery 'shoes'; there are: gallery, shop"


def test_galleries_of_one_space_share_one_network(made_gallery: Path, shop: Path) -> None:
    with Gallery.open(made_gallery) as first, Gallery.open(shop) as second:
        service = Service(first, Settings())
        Service(second, Settings(), service)
        service.load()

        assert first.embedder is second.embedder
        service.close()


def test_two_folders_of_one_name_get_names_of_their_own(
    made_gallery: Path, tmp_path: Path, embedder: Embedder
) -> None:
    copy = Path(shutil.copytree(made_gallery, tmp_path / "elsewhere" / "gallery"))
    with Gallery.open(made_gallery, embedder) as first, Gallery.open(copy, embedder) as second:
        service = Service(first, Settings())
        Service(second, Settings(), service)

        assert list(service.named) == ["gallery", "gallery-2"]


def test_the_command_and_the_client_know_names_and_prefix(
    made_gallery: Path, shop: Path, album: list[Path]
) -> None:
    with running(made_gallery, str(shop), "--base-path", "/kkcv") as service:
        address = f"{service.address}/kkcv"
        client = Client(address, gallery="shop")
        query = {"image": as_base64(album[0]), "k": 1}
        (hit,) = httpx.post(f"{address}/v1/search", json=query).json()["hits"]

        assert len(client.search(album[0], k=12)) == 4 == len(list(client.pictures()))
        assert httpx.get(service.address + hit["url"]).content == album[0].read_bytes()
        assert [each.name for each in client.galleries()] == ["gallery", "shop"]
        assert httpx.get(f"{address}/openapi.json").json()["servers"] == [{"url": "/kkcv"}]
        with pytest.raises(ServiceError, match="no gallery 'shoes'"):
            Client(address, gallery="shoes").stats()


def test_the_prefix_of_a_trusted_proxy_is_taken_and_of_no_other(
    both: FlaskClient, album: list[Path]
) -> None:
    query = {"image": as_base64(album[0]), "k": 1}
    asked = {"json": query, "headers": {"X-Forwarded-Prefix": "/pictures/"}}

    def url(proxy: str) -> str:
        answer = both.post("/v1/search", environ_base={"REMOTE_ADDR": proxy}, **asked)
        return str(answer.get_json()["hits"][0]["url"])

    assert url("10.0.0.1").startswith("/pictures/v1/images/")
    assert url("10.0.0.2").startswith("/v1/images/")


@pytest.mark.parametrize("prefix", ["//evil.example", "/a b", "/<script>", "nope"])
def test_a_prefix_that_is_not_a_plain_path_is_ignored(both: FlaskClient, prefix: str) -> None:
    answer = both.get(
        "/openapi.json",
        environ_base={"REMOTE_ADDR": "10.0.0.1"},
        headers={"X-Forwarded-Prefix": prefix},
    )

    assert json.loads(answer.data)["servers"] == [{"url": "/"}]
