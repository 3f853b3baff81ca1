"""The entry point for other WSGI servers, told by the environment."""

import io
import json
from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from kkcv.errors import NotAGallery, RequestError
from kkcv.serve import wsgi

from .conftest import as_base64


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "log_to_stderr", lambda requests, form: None)


def test_it_serves_the_gallery_of_the_environment(
    made_gallery: Path, album: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_GALLERY", str(made_gallery))
    monkeypatch.setenv("KKCV_MAX_BODY", "1")

    client = wsgi.create_app().test_client()
    found = client.post("/v1/search", json={"image": as_base64(album[0]), "k": 1})
    large = client.post("/v1/search", json={"image": "A" * 1024 * 1024})

    assert found.json["hits"][0]["path"] == str(album[0])
    assert (large.status_code, large.json["type"]) == (413, "/problems/too-large")
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 421


def test_a_body_without_a_length_is_refused(
    made_gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some servers hand chunks on as a stream that has no end but the limit. HTTP/2 needs neither
    a length nor chunks; whether its body ends by itself is up to the server."""
    monkeypatch.setenv("KKCV_GALLERY", str(made_gallery))
    app = wsgi.create_app()
    ends, http2 = {"wsgi.input_terminated": True}, {"SERVER_PROTOCOL": "HTTP/2"}

    def answer(body: bytes, headers: dict[str, str], **said: object) -> tuple[int, str]:
        sent = EnvironBuilder("/v1/search", method="POST", headers=headers).get_environ()
        sent |= {"wsgi.input": io.BytesIO(body), **said}
        sent.pop("CONTENT_LENGTH", None)
        parts, status, _ = run_wsgi_app(app, sent)
        return int(status[:3]), json.loads(b"".join(parts))["detail"]

    as_json, missing = {"Content-Type": "application/json"}, (422, "image is missing")
    needed = (411, "send the header Content-Length")
    assert answer(b"{}", as_json | {"Transfer-Encoding": "chunked"}, **ends) == needed
    assert answer(b"{}", as_json, **ends) == answer(b"{}", as_json, **http2) == needed
    assert answer(b"{}", as_json, **ends, **http2) == needed
    assert answer(b"", as_json, **ends, **http2) == answer(b"", {}, **http2) == missing
    assert answer(b"", as_json) == missing  # in HTTP/1 there is no body then


def test_with_a_key_any_name_is_answered(
    made_gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KKCV_GALLERY", str(made_gallery))
    monkeypatch.setenv("KKCV_API_KEY", "secret-key")

    client = wsgi.create_app().test_client()
    headers = {"Host": "photos.example", "Authorization": "Bearer secret-key"}

    assert client.get("/v1/stats", headers=headers).status_code == 200
    assert client.get("/v1/stats").status_code == 401


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("KKCV_GALLERY", "", RequestError, "set KKCV_GALLERY to the folder of a gallery"),
        ("KKCV_GALLERY", "/no/such/folder", NotAGallery, "/no/such/folder is not a gallery"),
        ("KKCV_MAX_BODY", "much", RequestError, "KKCV_MAX_BODY: 'much' is not a valid integer"),
        ("KKCV_WORKERS", "0", RequestError, "KKCV_WORKERS: 0 is not in the range 1<=x<=256"),
    ],
)
def test_what_the_environment_lacks_is_told(
    made_gallery: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.setenv("KKCV_GALLERY", str(made_gallery))
    monkeypatch.setenv(name, value)

    with pytest.raises(error, match=message):
        wsgi.create_app()
