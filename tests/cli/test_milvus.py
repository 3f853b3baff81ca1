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


def test_every_command_takes_a_gallery_on_milvus(
    kkcv: Kkcv, address: str, album: list[Path], tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for n, path in enumerate(album[:6]):
        shutil.copy(path, photos / f"{n}.jpg")

    assert kkcv("index", address, photos, "--json").json["added"] == 6
    assert kkcv("index", address, photos, "--json").json["unchanged"] == 6
    hits = kkcv("search", address, photos / "0.jpg", "-k", "3", "--json").json["hits"]
    assert hits[0]["path"] == str(photos / "0.jpg")
    assert len(hits) == 3
    exported = kkcv("export", address, tmp_path / "e.parquet")
    assert exported.out == f"6 pictures are in {tmp_path / 'e.parquet'}\n"
    assert kkcv("remove", address, photos / "0.jpg", "--json").json["pictures"] == 5
    loaded = kkcv("index", address, "--from", tmp_path / "e.parquet", "--json").json
    assert (loaded["added"], loaded["unchanged"], loaded["pictures"]) == (1, 5, 6)
    stats = kkcv("stats", address, "--json").json
    assert (stats["gallery"], stats["index"]["kind"]) == (address, "HNSW of Milvus")
    for command in (("doctor", address), ("tune", address), ("backup", address, tmp_path / "b")):
        said = kkcv(*command)
        assert (said.code, said.err.count("\n")) == (2, 1)
        assert f"kkcv {command[0]} is for galleries in folders" in said.err


def test_the_service_adds_finds_and_removes_on_milvus(
    kkcv: Kkcv, address: str, album: list[Path], stranger: Path
) -> None:
    kkcv("index", address, *album[:3])

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
            pictures = http.get("/v1/stats").json()["pictures"]
        assert service.stop(signal.SIGTERM) == 0

    assert ([hit["id"] for hit in hits], data) == ([added["id"]], stranger.read_bytes())
    assert (left, pictures) == ([], 3)
