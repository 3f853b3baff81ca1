"""Every awkward and hostile file, through the real service, gets what its manifest implies."""

import csv
from pathlib import Path

import httpx
import pytest

from kkcv.errors import PictureError

from .conftest import as_base64

REASONS = PictureError.REASONS


@pytest.fixture(scope="module")
def manifest(pictures: Path) -> list[dict[str, str]]:
    with (pictures / "nasty" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def implied(expect: str) -> set[int]:
    """The statuses that the words of the manifest allow."""
    refused = {413, 415, 422}
    if expect in ("decode", "decode, or skip by extension", "do not treat the folder as a file"):
        return {200}
    if expect == "reject, do not crash":
        return refused
    assert expect in (
        "decode or clean reject",
        "decode slowly or reject by size",
        "decode only with pillow-heif; else clean reject",
    )
    return {200} | refused


def test_every_nasty_file_is_answered_as_its_manifest_implies(
    http: httpx.Client, pictures: Path, manifest: list[dict[str, str]]
) -> None:
    wrong = []
    for row in manifest:
        image = as_base64(pictures / "nasty" / row["file"])
        answer = http.post("/v1/search", json={"image": image, "k": 1})
        ok = answer.status_code in implied(row["expect"])
        if answer.status_code != 200:
            problem = answer.json()
            ok = ok and problem["type"] == "/problems/bad-picture"
            ok = ok and problem["reason"] in REASONS and problem["field"] == "image"
        if not ok:
            wrong.append((row["file"], row["expect"], answer.status_code, answer.text))

    assert len(manifest) == 97
    assert not wrong
    assert http.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("file", "status", "reason"),
    [
        ("generated/zero_byte.jpg", 422, "empty"),
        ("generated/text_as.jpg", 415, "not-an-image"),
        ("generated/photo_truncated_half.jpg", 422, "truncated"),
        ("generated/huge_40000x40000_1bit.png", 413, "too-many-pixels"),
        ("generated/huge_12000x12000_gray.png", 413, "too-many-pixels"),
        ("bomb/reallybig.bmp", 413, "too-many-pixels"),
        ("corrupt/broken.png", 422, "corrupt"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/search", "/v1/images"])
def test_the_reason_chooses_the_status(
    http: httpx.Client, pictures: Path, path: str, file: str, status: int, reason: str
) -> None:
    answer = http.post(path, json={"image": as_base64(pictures / "nasty" / file)})

    assert answer.status_code == status
    assert answer.json()["reason"] == reason


def test_a_refused_picture_leaves_nothing_behind(http: httpx.Client, pictures: Path) -> None:
    before = http.get("/v1/stats").json()["pictures"]
    image = as_base64(pictures / "nasty" / "generated" / "photo_truncated_half.jpg")

    http.post("/v1/images", json={"image": image})

    assert http.get("/v1/stats").json()["pictures"] == before
