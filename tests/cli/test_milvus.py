"""A gallery on a Milvus server where a folder is taken: the commands, and the service."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.serve.conftest import as_base64, running

from .conftest import Said

Kkcv = Callable[..., Said]


@pytest.fixture
def address(milvus: str, unused: str, tmp_path: Path) -> str:
    return f"{milvus}/{unused}?files={tmp_path / 'files'}"


def test_commands_and_the_service_take_a_gallery_on_milvus(
    kkcv: Kkcv, address: str, album: list[Path], stranger: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for n, path in enumerate(album[:4]):
        shutil.copy(path, photos / f"{n}.jpg")

    assert kkcv("index", address, photos, "--json").json["added"] == 4
    hits = kkcv("search", address, photos / "0.jpg", "-k", "3", "--json").json["hits"]
    assert (hits[0]["path"], len(hits)) == (str(photos / "0.jpg"), 3)
    assert kkcv("remove", address, photos / "0.jpg", "--json").json["pictures"] == 3
    said = kkcv("doctor", address)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "kkcv doctor is for galleries in folders" in said.err

    with running(address) as service:
        with httpx.Client(base_url=service.address, timeout=60, trust_env=False) as http:
            body = {"image": as_base64(stranger), "metadata": {"title": "猫"}}
            added = http.post("/v1/images", json=body).json()
            search = {"image": as_base64(stranger), "k": 1, "where": 'title == "猫"'}
            answer = http.post("/v1/search", json=search)
            assert answer.status_code == 200, answer.text
            hits = answer.json()["hits"]
            data = http.get(hits[0]["url"]).content
            http.delete(f"/v1/images/{added['id']}")
            left = http.post("/v1/search", json=search).json()["hits"]
            stats = http.get("/v1/stats").json()
        assert service.stop(signal.SIGTERM) == 0

    assert ([hit["id"] for hit in hits], data) == ([added["id"]], stranger.read_bytes())
    assert (left, stats["pictures"], stats["gallery"]) == ([], 3, address)
