"""Every failure is answered with problem+json: the right status, a stable type, the field."""

import gzip
import json
from pathlib import Path
from shutil import copytree, rmtree

import httpx
import pytest

from kkcv.serve.models.requests import SearchRequest
from kkcv.serve.problems import KINDS
from kkcv.serve.routes import ROUTES

from .attacks import parts
from .conftest import Running, as_base64

JSON = {"Content-Type": "application/json"}
FIELDS = ", ".join(SearchRequest.model_fields)
BAD_NUMBER = "a number in it is not finite, or has more than 4,300 digits"
PICTURE = "aGVsbG8gd29ybGQ="  # of no image format, which is asked last


def assert_problem(answer: httpx.Response, code: str, **members: object) -> None:
    assert answer.headers["Content-Type"] == "application/problem+json"
    expected = {
        "type": f"/problems/{code}",
        "title": KINDS[code].title,
        "status": answer.status_code,
        **members,
    }
    assert answer.json() == expected


@pytest.mark.parametrize(
    ("question", "detail", "field"),
    [
        ({"k": 5}, "image is missing", "image"),
        ({"image": 5}, "image must be a picture, as base64 text", "image"),
        ({"image": None}, "image must be a picture, as base64 text", "image"),
        ({"image": PICTURE, "k": "ten"}, "k must be a whole number from 1 to 1000, got 'ten'", "k"),
        ({"image": PICTURE, "k": "10"}, "k must be a whole number from 1 to 1000, got '10'", "k"),
        ({"image": PICTURE, "k": 0}, "k must be a whole number from 1 to 1000, got 0", "k"),
        ({"image": PICTURE, "k": 1001}, "k must be a whole number from 1 to 1000, got 1001", "k"),
        ({"image": PICTURE, "k": 2.5}, "k must be a whole number from 1 to 1000, got 2.5", "k"),
        ({"image": PICTURE, "k": True}, "k must be a whole number from 1 to 1000, got true", "k"),
        ({"image": PICTURE, "k": None}, "k must be a whole number from 1 to 1000, got null", "k"),
        ({"image": PICTURE, "k": [1]}, "k must be a whole number from 1 to 1000", "k"),
        (
            {"image": PICTURE, "top": 3},
            f"top is not a field here; there are: {FIELDS}",
            "top",
        ),
        (
            {"id": 5, "image": PICTURE},
            f"id is not a field here, but of GET /v1/images/{{id}}/similar; there are: {FIELDS}",
            "id",
        ),
        (
            {"image": PICTURE, "minscore": 0},
            f"minscore is not a field here (did you mean min_score?); there are: {FIELDS}",
            "minscore",
        ),
        (
            {"image": PICTURE, "region": {"left": 0, "top": 0, "wide": 1, "width": 1, "height": 1}},
            "region.wide is not a field here (did you mean width?); "
            "there are: left, top, width, height",
            "region.wide",
        ),
        (
            {"image": PICTURE, "min_score": 2},
            "min_score must be less than or equal to 1",
            "min_score",
        ),
        ({"image": PICTURE, "min_score": "0"}, "min_score must be a number", "min_score"),
        ({"image": PICTURE, "copies": "yes"}, "copies must be true or false", "copies"),
        (
            {"image": PICTURE, "region": {"left": 0, "top": 0, "width": 0, "height": 1}},
            "region.width must be greater than 0",
            "region.width",
        ),
    ],
)
def test_a_field_at_fault_is_named(
    http: httpx.Client, question: dict, detail: str, field: str
) -> None:
    answer = http.post("/v1/search", json=question)

    assert answer.status_code == 422
    assert_problem(answer, "bad-request", detail=detail, field=field)


def test_every_field_at_fault_is_named(http: httpx.Client) -> None:
    answer = http.post("/v1/search", json={"k": 0, "top": 3})

    assert_problem(
        answer,
        "bad-request",
        detail="k must be a whole number from 1 to 1000, got 0",
        field="k",
        errors=[
            {"field": "k", "detail": "must be a whole number from 1 to 1000, got 0"},
            {"field": "image", "detail": "is missing"},
            {
                "field": "top",
                "detail": f"is not a field here; there are: {FIELDS}",
            },
        ],
    )


def test_without_a_body_its_fields_are_missing(http: httpx.Client) -> None:
    for route in ROUTES:
        fields = route.body.model_fields.items() if route.body else ()
        needed = [name for name, field in fields if field.is_required()]
        for headers in ({}, JSON) if needed else ():
            answer = http.request(route.method, route.path.format(id=1), headers=headers)

            assert answer.status_code == 422
            assert answer.json()["detail"] == f"{needed[0]} is missing"


@pytest.mark.parametrize(
    ("body", "status", "code", "detail"),
    [
        (b" ", 400, "bad-json", "it ends too early"),
        (b'{"k": ', 400, "bad-json", "it ends too early"),
        (b'{"image": "/9j/', 400, "bad-json", "it ends too early"),
        (b'{"k": 5,\n "image": x}', 400, "bad-json", "the mistake is at line 2, column 11"),
        (b'{"k": NaN}', 400, "bad-json", BAD_NUMBER),
        (b'{"k": ' + b"9" * 5000 + b"}", 400, "bad-json", BAD_NUMBER),
        (b"\xff\xfe", 400, "bad-json", "it is not UTF-8"),
        (gzip.compress(b"{}"), 400, "bad-json", "it is compressed; send it as it is"),
        (b"[" * 100_000, 400, "bad-json", "it is nested too deep"),
        (
            b'{"image": "/9j/\nAAAA"}',
            400,
            "bad-json",
            "the mistake is at line 1, column 16; base64 must be one line, without line breaks: "
            "base64 -w0 FILE",
        ),
        (b"[]", 422, "bad-request", "the body must be a JSON object"),
        (b"null", 422, "bad-request", "the body must be a JSON object"),
    ],
    ids=[
        "blank",
        "cut off",
        "cut off in a text",
        "a mistake",
        "NaN",
        "endless number",
        "not UTF-8",
        "gzip",
        "nested",
        "base64 in lines",
        "list",
        "null",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    http: httpx.Client, body: bytes, status: int, code: str, detail: str
) -> None:
    answer = http.post("/v1/search", content=body, headers=JSON)

    assert answer.status_code == status
    if code == "bad-json":
        detail = f"the body cannot be read as JSON: {detail}"
    assert_problem(answer, code, detail=detail)


@pytest.mark.parametrize(
    ("body", "key"),
    [(b'{"k": 1, "k": 2}', "k"), (b'{"region": {"left": 0, "top": 0, "left": 1}}', "left")],
)
def test_a_key_that_is_sent_twice_is_refused(http: httpx.Client, body: bytes, key: str) -> None:
    answer = http.post("/v1/search", content=body, headers=JSON)
    in_address = http.post(
        "/v1/search",
        params={"where": body.decode()},
        content=b"",
        headers={"Content-Type": "image/jpeg"},
    )

    for each in (answer, in_address):
        assert each.status_code == 422
        assert_problem(each, "bad-request", detail=f"{key} was sent more than once", field=key)


@pytest.mark.parametrize("media", ["application/json", "image/jpeg"])
def test_a_compressed_body_is_refused(http: httpx.Client, media: str) -> None:
    headers = {"Content-Type": media, "Content-Encoding": "gzip"}
    answer = http.post("/v1/search", content=gzip.compress(b"{}"), headers=headers)

    assert answer.status_code == 415
    detail = "the body must be sent as it is, without Content-Encoding: gzip"
    assert_problem(answer, "unsupported-media-type", detail=detail)
    plain = http.post("/v1/search", content=b"", headers=headers | {"Content-Encoding": "Identity"})
    assert plain.status_code in (400, 422)  # not for its encoding


@pytest.mark.parametrize(
    ("image", "status", "reason", "detail"),
    [
        ("", 422, "empty", "the base64 text stands for 0 bytes"),
        (
            "???",
            422,
            "bad-base64",
            "this is not base64: there are characters in it that are not of its alphabet",
        ),
        ("AAAAA", 422, "bad-base64", "this is not base64: its length is wrong: a part is missing"),
        (PICTURE, 415, "not-an-image", "these 11 bytes are of no image format that is known"),
    ],
)
def test_a_picture_that_cannot_be_used_is_answered_with_the_reason(
    http: httpx.Client, image: str, status: int, reason: str, detail: str
) -> None:
    for path in ("/v1/search", "/v1/images"):
        answer = http.post(path, json={"image": image})

        assert answer.status_code == status
        assert_problem(answer, "bad-picture", detail=detail, field="image", reason=reason)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no", 404, "not-found"),
        ("GET", "/v2/search", 404, "not-found"),
        ("GET", "/v1/stats/", 404, "not-found"),
        ("GET", "//v1/stats", 404, "not-found"),
        ("GET", "/v1/images/abc", 404, "unknown-picture"),
        ("GET", "/v1/images/0", 404, "unknown-picture"),
        ("DELETE", "/v1/images/-1", 404, "unknown-picture"),
        ("GET", "/v1/images/1.0", 404, "unknown-picture"),
        ("GET", "/v1/images/%D9%A1", 404, "unknown-picture"),  # a digit, but an Arabic one
        ("GET", f"/v1/images/{2**63}", 404, "unknown-picture"),
        ("PATCH", f"/v1/images/{'9' * 5000}", 404, "unknown-picture"),
        ("GET", "/problems/bad-luck", 404, "not-found"),
        ("GET", f"/v1/images/{2**63 - 1}", 404, "unknown-picture"),
        ("DELETE", "/v1/images/999999", 404, "unknown-picture"),
        ("GET", "/v1/search", 405, "method-not-allowed"),
        ("PUT", "/v1/stats", 405, "method-not-allowed"),
        ("GET", "/v1/images/1/similar?k=ten", 422, "bad-request"),
        ("GET", "/v1/images/1/similar?k=1&k=2", 422, "bad-request"),
        ("GET", "/v1/images?cursor=12", 422, "bad-request"),
        ("GET", "/v1/images?limit=501", 422, "bad-request"),
        ("GET", "/v1/images/1/thumbnail?size=100", 422, "bad-request"),
        ("GET", "/v1/stats?verbose=1", 422, "bad-request"),
        ("POST", "/v1/search?k=5", 422, "bad-request"),
    ],
)
def test_every_refusal_has_the_same_shape(
    http: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = http.request(method, path)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == (f"/problems/{code}", status)
    assert problem["title"] == KINDS[code].title
    assert problem["detail"]


def test_a_wrong_method_is_told_the_right_ones(http: httpx.Client) -> None:
    allowed = http.get("/v1/search").headers["Allow"]

    assert set(allowed.split(", ")) == {"POST", "OPTIONS"}


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", None])
def test_a_body_of_another_type_is_refused(http: httpx.Client, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}

    answer = http.post("/v1/search", content=b"{}", headers=headers)

    assert answer.status_code == 415
    assert_problem(
        answer,
        "unsupported-media-type",
        detail="the body must be application/json or multipart/form-data or a picture, such as "
        "image/jpeg, and the header Content-Type must say so "
        f"(curl -H 'Content-Type: application/json'); it says {kind or 'nothing'}",
    )


def test_a_body_of_another_type_is_refused_before_its_address_is_read(http: httpx.Client) -> None:
    headers = {"Content-Type": "application/octet-stream"}
    answer = http.post("/v1/search?k=1", content=b"\xff\xd8", headers=headers)

    assert answer.status_code == 415
    assert answer.json()["detail"].endswith("; it says application/octet-stream")


def test_a_byte_order_mark_before_json_is_left_out(http: httpx.Client) -> None:
    answer = http.post("/v1/search", content=b"\xef\xbb\xbf{}", headers=JSON)

    assert answer.json()["detail"] == "image is missing"


def test_a_range_outside_of_the_file_is_told_its_length(
    http: httpx.Client, album: list[Path]
) -> None:
    answer = http.get("/v1/images/1/file", headers={"Range": "bytes=9999999-"})

    assert answer.status_code == 416
    assert answer.headers["Content-Range"].startswith("bytes */")
    assert_problem(answer, "bad-range", detail="the range lies outside of the file")


def test_what_was_sent_is_never_sent_back(http: httpx.Client, album: list[Path]) -> None:
    image = as_base64(album[0])
    mark = image[:64]
    questions = [
        {"image": image, "k": image},
        {"image": [image]},
        {"image": image[:-1] + "!"},
        {"image": image, image: 1},
        {"image": image, "region": image},
        {"image": image, "metadata": image},
    ]

    for path in ("/v1/search", "/v1/images"):
        for question in questions:
            answer = http.post(path, json=question)

            assert answer.status_code == 422
            assert len(answer.content) < 1000
            assert image[200:240] not in answer.text
            if image not in question:
                assert mark not in answer.text


@pytest.mark.parametrize(
    ("kind", "body", "detail"),
    [
        ("multipart/form-data", b"x", "the form has no field that can be read; for a multipart "),
        ("multipart/form-data; boundary=mark", parts(100), "the form must have at most 64 fields"),
    ],
)
def test_a_form_that_cannot_be_read_says_why(
    http: httpx.Client, kind: str, body: bytes, detail: str
) -> None:
    answer = http.post("/v1/search", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/images?cursor=page-2", "cursor must be the `next` of the page before"),
        ("/v1/images?cursor=12", "cursor must be the `next` of the page before"),
        ("/v1/images?cursor=null", "cursor must be the `next` of the page before"),
        ("/v1/images?where=12", "the filter '12' cannot be read: the name comes "),
        ("/v1/images?where=true", "the filter 'true' cannot be read"),
        ("/v1/images/1/similar?fields=7", "fields must be some of path, metadata, "),
        ("/v1/images/1/similar?ranking=12", "ranking must be one of plain, best, "),
        ("/v1/images/1/similar?fields=id", "fields must be some of path, metadata, "),
        ("/v1/images?=1", "'' is not a field here; there are: "),
    ],
)
def test_what_is_wrong_in_an_address_is_said_in_words(
    http: httpx.Client, path: str, detail: str
) -> None:
    answer = http.get(path)

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(detail)


def test_a_field_is_sent_once(http: httpx.Client, album: list[Path]) -> None:
    data = album[0].read_bytes()

    answer = http.post("/v1/search", files=[("image", data), ("image", data)])

    assert answer.status_code == 422
    assert answer.json()["detail"] == "image was sent more than once"


@pytest.mark.parametrize("code", KINDS)
def test_the_type_of_each_problem_leads_to_a_word_about_it(http: httpx.Client, code: str) -> None:
    answer = http.get(f"/problems/{code}")

    assert answer.json() == {
        "type": f"/problems/{code}",
        "title": KINDS[code].title,
        "status": KINDS[code].status,
    }


def test_every_answer_has_a_number_of_its_own(http: httpx.Client) -> None:
    numbers = {http.get(path).headers["X-Request-Id"] for path in ("/healthz", "/healthz", "/no")}

    assert len(numbers) == 3


def test_a_disk_that_fails_is_told_and_that_nothing_was_changed(
    tmp_path: Path, made_gallery: Path, stranger: Path
) -> None:
    from kkcv.search.gallery import Gallery
    from kkcv.serve.app import create_app
    from kkcv.serve.service import Service
    from kkcv.serve.settings import Settings

    folder = copytree(made_gallery, tmp_path / "photos.kkcv")
    rmtree(folder / "pictures", ignore_errors=True)
    (folder / "pictures").touch()  # where files would be written
    with Gallery.open(folder) as gallery:
        service = Service(gallery, Settings())
        service.load()
        app = create_app(service).test_client()
        answer = app.post("/v1/images", data={"image": stranger.open("rb")})

    assert (answer.status_code, answer.json["type"]) == (500, "/problems/internal")
    assert "this change was not made" in answer.json["detail"]


def test_a_failure_of_the_service_tells_nothing_of_its_inside(
    service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kkcv.search.gallery import Gallery
    from kkcv.serve.app import create_app
    from kkcv.serve.service import Service
    from kkcv.serve.settings import Settings

    def fail(self: Gallery) -> None:
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr(Gallery, "stats", fail)
    with Gallery.open(service.folder) as gallery:
        answer = create_app(Service(gallery, Settings())).test_client().get("/v1/stats")

    assert answer.status_code == 500
    assert json.loads(answer.data) == {
        "type": "/problems/internal",
        "title": "The service failed",
        "status": 500,
        "detail": "the service failed; its log says why",
    }


@pytest.mark.parametrize(
    ("like", "detail"),
    [
        ({}, "like.0 must have one of image, id, text"),
        ({"id": 1, "image": PICTURE}, "like.0 must have one of image, id, text"),
        ({"id": 0}, "like.0.id must be a whole number from 1 to 9223372036854775807, got 0"),
        ({"text": "a cat", "region": None}, "like.0.region is not a field here"),
    ],
)
def test_a_part_of_a_question_is_named_as_it_was_sent(
    http: httpx.Client, like: dict, detail: str
) -> None:
    answer = http.post("/v1/search/like", json={"like": [like]})

    assert (answer.status_code, answer.json()["detail"]) == (422, detail)


def test_half_of_a_character_in_a_filter_is_no_failure(http: httpx.Client) -> None:
    for path in ("/v1/images", "/v1/images/1/similar"):
        answer = http.get(path, params={"where": r'a == "\ud800"'})

        assert answer.status_code == 422
    body = b'{"image": "%s", "where": "\\ud800"}' % PICTURE.encode()
    answer = http.post("/v1/search", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "where must be text without half a surrogate pair",
    )


def test_the_address_of_the_service_leads_to_its_description(http: httpx.Client) -> None:
    answer = http.get("/", follow_redirects=True)

    assert (answer.status_code, answer.url.path) == (200, "/docs")
