"""Access to the service: this machine, or everybody with a key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from kkcv.cli import main
from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery
from kkcv.serve.app import create_app
from kkcv.serve.routes import ROUTES
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings, allowed_hosts

KEY = "correct-horse-battery"


@pytest.fixture
def open_to_this_machine(made_gallery: Path) -> Iterator[FlaskClient]:
    with Gallery.open(made_gallery) as gallery:
        yield create_app(Service(gallery, Settings())).test_client()


@pytest.fixture
def with_key(made_gallery: Path) -> Iterator[FlaskClient]:
    with Gallery.open(made_gallery) as gallery:
        settings = Settings(api_key=KEY, hosts=None)
        yield create_app(Service(gallery, settings)).test_client()


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_a_loopback_name_is_answered(open_to_this_machine: FlaskClient, host: str) -> None:
    assert open_to_this_machine.get("/v1/stats", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "192.168.0.7:8000", "", "[", "a b"]
)
def test_a_web_page_cannot_come_in_by_a_name_of_its_own(
    open_to_this_machine: FlaskClient, host: str
) -> None:
    for path in ("/v1/stats", "/healthz", "/docs", "/no"):
        answer = open_to_this_machine.get(path, headers={"Host": host})

        assert answer.status_code == 421
        assert answer.json["type"] == "/problems/wrong-host"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:9", "null"])
def test_a_web_page_of_another_site_cannot_send_a_form(
    open_to_this_machine: FlaskClient, origin: str
) -> None:
    for method, path in (("POST", "/v1/images"), ("POST", "/search"), ("DELETE", "/v1/images/1")):
        answer = open_to_this_machine.open(path, method=method, headers={"Origin": origin})

        assert answer.status_code == 403
        assert answer.json["type"] == "/problems/forbidden"
    assert open_to_this_machine.get("/v1/images/1").status_code == 200


def test_no_answer_invites_other_sites(open_to_this_machine: FlaskClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    answer = open_to_this_machine.options("/v1/images", headers=headers)

    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": KEY},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"X-API-Key": "ключ".encode().decode("latin-1")},
    ],
)
def test_without_the_key_nothing_is_answered(with_key: FlaskClient, headers: dict) -> None:
    for route in ROUTES:
        path = route.path.replace("{id}", "1")
        answer = with_key.open(path, method=route.method, headers=headers)

        if not route.open:
            assert answer.status_code == 401, path
            assert answer.json["type"] == "/problems/unauthorized"
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert with_key.get("/no/such/address", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}], ids=["bearer", "header"]
)
def test_with_the_key_any_name_will_do(with_key: FlaskClient, headers: dict) -> None:
    answer = with_key.get("/v1/stats", headers={"Host": "photos.example", **headers})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/docs", "/problems/internal"])
def test_what_tells_nothing_of_the_gallery_needs_no_key(with_key: FlaskClient, path: str) -> None:
    assert with_key.get(path).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::", "example.com"])
def test_beyond_this_machine_a_key_is_needed(host: str) -> None:
    with pytest.raises(RequestError, match="can be reached from other machines, and there is no"):
        allowed_hosts(host, False, False)

    assert allowed_hosts(host, True, False) is None
    assert allowed_hosts(host, False, True) is None


def test_the_command_refuses_to_listen_beyond_this_machine_without_a_key(
    made_gallery: Path,
) -> None:
    result = CliRunner().invoke(main, ["serve", str(made_gallery), "--host", "0.0.0.0"])

    assert result.exit_code == 2
    assert result.stderr == (
        "kkcv: 0.0.0.0 can be reached from other machines, and there is no API key: make keys with "
        "kkcv keys add and name their file with --keys (or set KKCV_API_KEY), or say --insecure "
        "to let everybody in\n"
    )


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "line\nbreak"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(RequestError, match="the API key must"):
        Settings(api_key=key)
