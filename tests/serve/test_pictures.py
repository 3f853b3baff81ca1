"""Adding, listing, changing and removing pictures over HTTP, and getting their files."""

import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from PIL import Image

from kkcv.client import Client
from kkcv.errors import NothingToUndo

from .conftest import Running, as_base64


@pytest.fixture
def added(http: httpx.Client, stranger: Path) -> dict:
    """A picture that was just added; taken out again at the end."""
    answer = http.post(
        "/v1/images", json={"image": as_base64(stranger), "metadata": {"title": "猫 🐱", "n": 1.5}}
    )
    assert answer.status_code == 201, answer.text
    picture = answer.json()
    yield picture
    http.delete(f"/v1/images/{picture['id']}")


def test_an_added_picture_is_found_at_once(http: httpx.Client, added: dict, stranger: Path) -> None:
    hits = http.post("/v1/search", json={"image": as_base64(stranger), "k": 1}).json()["hits"]

    assert hits[0]["id"] == added["id"]
    assert hits[0]["score"] == pytest.approx(1, abs=2e-3)
    assert hits[0]["metadata"] == {"title": "猫 🐱", "n": 1.5}
    assert http.get(hits[0]["url"]).content == stranger.read_bytes()


def test_the_answer_tells_all_about_the_picture(
    http: httpx.Client, added: dict, stranger: Path, service: Running
) -> None:
    data = stranger.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()

    age = datetime.now(UTC) - datetime.fromisoformat(added.pop("added"))

    assert timedelta(0) <= age < timedelta(minutes=5)
    assert added == {
        "id": added["id"],
        "path": str(service.folder / "pictures" / sha256[:2] / f"{sha256}.jpg"),
        "url": f"/v1/images/{added['id']}/file",
        "thumbnail": f"/v1/images/{added['id']}/thumbnail",
        "sha256": sha256,
        "bytes": len(data),
        "metadata": {"title": "猫 🐱", "n": 1.5},
        "missing": False,
    }


def test_the_same_bytes_again_are_the_same_picture(
    http: httpx.Client, added: dict, stranger: Path
) -> None:
    again = http.post("/v1/images", json={"image": as_base64(stranger), "metadata": {"new": 1}})

    assert again.status_code == 200
    assert again.json() == {**added, "metadata_kept": True}
    assert http.post("/v1/images", json={"image": as_base64(stranger)}).json() == added
    assert "Location" not in again.headers


def test_a_new_picture_has_an_address(http: httpx.Client, stranger: Path) -> None:
    files = {"image": ("cat.jpg", stranger.read_bytes(), "image/jpeg")}

    answer = http.post("/v1/images", files=files, data={"metadata": json.dumps({"by": "form"})})

    assert answer.status_code == 201
    picture = http.get(answer.headers["Location"]).json()
    assert picture == answer.json()
    assert picture["metadata"] == {"by": "form"}
    assert http.delete(answer.headers["Location"]).status_code == 204


def test_a_removed_picture_is_gone(http: httpx.Client, stranger: Path) -> None:
    picture = http.post("/v1/images", json={"image": as_base64(stranger)}).json()
    address = f"/v1/images/{picture['id']}"

    removed = http.delete(address)

    assert (removed.status_code, removed.content) == (204, b"")
    assert not Path(picture["path"]).exists()
    for gone in (address, address + "/file", address + "/thumbnail", address + "/similar"):
        assert http.get(gone).status_code == 404
    assert http.delete(address).status_code == 404
    hits = http.post("/v1/search", json={"image": as_base64(stranger)}).json()["hits"]
    assert picture["id"] not in [h["id"] for h in hits]


def test_pictures_that_were_removed_together_come_back_with_their_ids(
    http: httpx.Client, service: Running
) -> None:
    client = Client(service.address)
    before = list(client.pictures())
    first, second, *others = [picture.id for picture in before]

    sent = {"ids": [first, 10**9, second, 10**9]}
    removed = http.post("/v1/batch/remove", json=sent).json()
    assert removed == {"ids": [first, second], "missing": [10**9]}
    with pytest.raises(NothingToUndo, match="of other pictures"):
        client.undo([first])
    assert [picture.id for picture in client.pictures()] == others
    assert client.undo([second, first]) == 2
    with pytest.raises(NothingToUndo, match="there is nothing to undo"):
        client.undo([second, first])

    assert list(client.pictures()) == before


def test_a_removed_file_of_the_user_stays_where_it_is(
    http: httpx.Client, service: Running, tmp_path: Path, stranger: Path
) -> None:
    listed = http.get("/v1/images").json()["pictures"]

    assert all(not p["path"].startswith(str(service.folder)) for p in listed)
    assert all(Path(p["path"]).is_file() for p in listed)


def test_metadata_can_be_changed(http: httpx.Client, added: dict) -> None:
    address = f"/v1/images/{added['id']}"

    changed = http.patch(address, json={"metadata": {"stars": 5}})

    assert changed.status_code == 200
    assert changed.json() == {**added, "metadata": {"stars": 5}} == http.get(address).json()


def nested(levels: int) -> str:
    return '{"a": ' + "[" * levels + "1" + "]" * levels + "}"


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ('{"a": 1e999}', "metadata has a number in it that is not finite"),
        ("[1]", "metadata must be an object"),
        ('"text"', "metadata must be an object"),
        (
            '{"a": "%s"}' % ("x" * 20_000),
            "metadata must be at most 16,384 characters of JSON, not 20,009",
        ),
        (
            nested(16),
            "metadata must not be nested more than 16 deep",
        ),
        (nested(190), "metadata must not be nested more than 16 deep"),
    ],
    ids=["infinite", "list", "text", "long", "deep", "very deep"],
)
def test_metadata_that_cannot_be_kept_are_refused(
    http: httpx.Client, stranger: Path, metadata: str, message: str
) -> None:
    body = f'{{"image": "{as_base64(stranger)}", "metadata": {metadata}}}'

    answer = http.post("/v1/images", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["detail"] == message


def test_a_field_of_a_form_may_come_as_a_file(http: httpx.Client, stranger: Path) -> None:
    blob = ("blob", b'{"title": "Minka"}', "application/json")

    answer = http.post("/v1/images", files={"image": stranger.read_bytes(), "metadata": blob})

    assert answer.json()["metadata"] == {"title": "Minka"}
    assert http.delete(f"/v1/images/{answer.json()['id']}").status_code == 204


def test_half_of_a_surrogate_pair_in_a_form_is_refused(http: httpx.Client, stranger: Path) -> None:
    files = {"image": stranger.read_bytes()}

    answer = http.post("/v1/images", files=files, data={"metadata": '{"a": "\\ud800"}'})

    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        "metadata has half of a surrogate pair in it, which is not a character"
    )


def test_pages_end_to_end_are_the_whole_gallery(http: httpx.Client, album: list[Path]) -> None:
    paths, cursor = [], "after-0"
    while cursor:
        page = http.get("/v1/images", params={"limit": 5, "cursor": cursor}).json()
        assert len(page["pictures"]) <= 5
        paths += [p["path"] for p in page["pictures"]]
        cursor = page["next"]

    assert paths == [p["path"] for p in http.get("/v1/images").json()["pictures"]]
    assert sorted(paths) == sorted(map(str, album))


def test_several_pictures_are_added_and_a_bad_one_stops_none(
    http: httpx.Client, stranger: Path, album: list[Path]
) -> None:
    sent = [as_base64(stranger), "aGVsbG8gd29ybGQ=", as_base64(stranger)]

    answer = http.post("/v1/batch/images", json={"pictures": [{"image": each} for each in sent]})

    assert answer.status_code == 200
    first, second, third = answer.json()["results"]
    assert (first["status"], second["status"], third["status"]) == (201, 415, 200)
    assert first["picture"] == third["picture"]
    assert second["problem"]["reason"] == "not-an-image"
    assert http.delete(f"/v1/images/{first['picture']['id']}").status_code == 204


def test_a_file_is_served_with_its_type_and_in_ranges(
    http: httpx.Client, added: dict, stranger: Path
) -> None:
    data = stranger.read_bytes()

    whole = http.get(added["url"])
    part = http.get(added["url"], headers={"Range": "bytes=100-199"})
    head = http.head(added["url"])

    assert whole.content == data
    assert whole.headers["Content-Type"] == "image/jpeg"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert (part.status_code, part.content) == (206, data[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(data)}"
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(data)))


@pytest.mark.parametrize("asked", ["bytes=0-9,20-29", "bytes=-999999999", "lines=1-2", "bytes=x"])
def test_what_is_not_one_range_of_the_file_is_answered_with_the_whole(
    http: httpx.Client, added: dict, stranger: Path, asked: str
) -> None:
    answer = http.get(added["url"], headers={"Range": asked})

    assert (answer.status_code, answer.content) == (200, stranger.read_bytes())


@pytest.mark.parametrize("what", ["url", "thumbnail"])
def test_what_the_browser_has_is_not_sent_again(http: httpx.Client, added: dict, what: str) -> None:
    etag = http.get(added[what]).headers["ETag"]

    again = http.get(added[what], headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")
    assert http.get(added[what], headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("size", [128, 256, 512])
def test_a_thumbnail_is_small_and_upright(http: httpx.Client, pictures: Path, size: int) -> None:
    sideways = pictures / "nasty" / "exif" / "Landscape_6_original.jpg"
    picture = http.post("/v1/images", json={"image": as_base64(sideways)}).json()

    answer = http.get(picture["thumbnail"], params={"size": size})

    http.delete(f"/v1/images/{picture['id']}")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (size, round(size * 2 / 3))


@pytest.mark.parametrize("way", ["link", "overwritten", "gone"])
def test_a_file_that_is_not_what_was_indexed_is_not_served(
    http: httpx.Client, pictures: Path, tmp_path: Path, way: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("a password")
    flower = pictures / "nasty" / "webp" / "flower.webp"  # no other test has made its thumbnail
    picture = http.post("/v1/images", json={"image": as_base64(flower)}).json()
    file = Path(picture["path"])
    file.unlink()
    if way == "link":
        file.symlink_to(secret)
    elif way == "overwritten":
        file.write_text("a password")

    answers = [http.get(picture[what]) for what in ("url", "thumbnail")]

    http.delete(f"/v1/images/{picture['id']}")
    for answer in answers:
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/file-missing"
        assert "password" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/images/../../etc/passwd/file",
        "/v1/images/..%2f..%2fetc%2fpasswd/file",
        "/v1/images/%2e%2e/file",
        "/v1/images//etc/passwd",
        "/docs/../serve/app.py",
        "/docs/%2e%2e/app.py",
        "/docs/docs.js%00",
    ],
)
def test_no_path_of_a_request_reaches_the_file_system(service: Running, path: str) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    connection.request("GET", path)  # as it is: httpx would tidy it up

    assert connection.getresponse().status == 404
    connection.close()


def test_figures_and_model_are_told(http: httpx.Client, album: list[Path]) -> None:
    stats, model = http.get("/v1/stats").json(), http.get("/v1/model").json()

    assert stats["pictures"] == len(album)
    assert stats["picture_bytes"] == sum(path.stat().st_size for path in album)
    assert model["network"] == "efficientnet_lite0"
    assert model["dim"] == 1280
    assert model.pop("rankings")
    assert model.pop("text") is False
    assert model.items() <= stats.items()
