"""Keys: made by the command, kept as hashes, with a scope and a rate of their own."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from kkcv.cli import main
from kkcv.errors import RequestError
from kkcv.search.gallery import Gallery
from kkcv.serve.access import Rates
from kkcv.serve.app import create_app
from kkcv.serve.keys import (
    Key,
    KeyRing,
    add_key,
    hashed,
    read_keys,
    remove_key,
    write_keys,
)
from kkcv.serve.routes import ROUTES
from kkcv.serve.service import Service
from kkcv.serve.settings import Settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def client(made_gallery: Path, file: Path) -> Iterator[FlaskClient]:
    """A service with the keys of the file, of which there is one at least."""
    add_key(file, "first", "write", None)
    with Gallery.open(made_gallery) as gallery:
        yield create_app(
            Service(gallery, Settings(keys=file, hosts=None, rate=5, wait_seconds=0.01))
        ).test_client()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_command_makes_lists_and_removes_keys(file: Path) -> None:
    run = CliRunner()

    made = run.invoke(main, ["keys", "add", str(file), "phone", "--scope", "write", "--rate", "9"])
    again = run.invoke(main, ["keys", "add", str(file), "phone"])
    listed = run.invoke(main, ["keys", "list", str(file), "--json"])
    table = run.invoke(main, ["keys", "list", str(file)])
    removed = run.invoke(main, ["keys", "remove", str(file), "phone"])
    unknown = run.invoke(main, ["keys", "remove", str(file), "phone"])

    (key,) = json.loads(listed.stdout)["keys"]
    assert made.stdout.startswith("kkcv_")
    assert (key["name"], key["scope"], key["rate"]) == ("phone", "write", 9)
    assert "phone" in table.stdout
    assert again.stderr == f"kkcv: {file} has a key 'phone': remove it first\n"
    assert (removed.exit_code, read_keys(file)) == (0, [])
    assert unknown.stderr == f"kkcv: no key 'phone' in {file}; there are: none\n"


def test_the_file_has_the_hash_alone_and_is_the_owners(file: Path) -> None:
    token = add_key(file, "phone", "read", None)

    assert token not in file.read_text()
    assert hashed(token) in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"keys": [{"name": "a"}]}', '{"keys": [{"nam": 1}]}']
)
def test_a_file_of_something_else_is_refused(file: Path, content: str) -> None:
    file.write_text(content)

    with pytest.raises(RequestError, match="is not a file of keys"):
        KeyRing(file)


def test_without_its_file_a_service_does_not_start(file: Path) -> None:
    with pytest.raises(RequestError, match=f"to make one: kkcv keys add {file} NAME"):
        KeyRing(file)


def test_a_key_that_is_removed_while_a_service_starts_is_refused(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = add_key(file, "leaked", "read", None)

    def slowly(keys: Path) -> list[Key]:
        found = read_keys(keys)
        write_keys(keys, [])
        return found

    with monkeypatch.context() as during:
        during.setattr("kkcv.serve.keys.read_keys", slowly)
        ring = KeyRing(file)

    assert ring.find(token) is None


def test_a_key_to_read_changes_nothing(client: FlaskClient, file: Path) -> None:
    token = add_key(file, "reader", "read", 0)

    for route in ROUTES:
        path = route.path.replace("{id}", "99")
        answer = client.open(path, method=route.method, headers=bearer(token))
        refused = answer.status_code == 403
        assert refused is route.writes, route
        if refused:
            assert answer.json["type"] == "/problems/read-only-key"
            assert answer.json["detail"] == "the key 'reader' may only search and read"


def test_every_route_that_changes_something_needs_a_key_that_may() -> None:
    changing = {route.name for route in ROUTES if route.writes}

    several = {"add_batch", "remove_many", "undo", "keep_duplicates"}
    assert changing == {"add", "replace", "describe", "remove", *several}


def test_keys_come_and_go_while_the_service_runs(client: FlaskClient, file: Path) -> None:
    late = add_key(file, "late", "read", 0)
    assert client.get("/v1/stats", headers=bearer(late)).status_code == 200

    remove_key(file, "late")
    assert client.get("/v1/stats", headers=bearer(late)).status_code == 401

    file.unlink()
    assert client.get("/v1/stats", headers=bearer(late)).status_code == 401


def test_who_asks_too_often_hears_when_to_come_back(client: FlaskClient, file: Path) -> None:
    usual, own = add_key(file, "usual", "read", None), add_key(file, "own", "read", 7)
    unlimited = add_key(file, "unlimited", "read", 0)

    def answered(token: str) -> list[int]:
        return [client.get("/v1/stats", headers=bearer(token)).status_code for _ in range(9)]

    assert answered(usual) == [200] * 5 + [429] * 4
    assert answered(own) == [200] * 7 + [429] * 2
    assert answered(unlimited) == [200] * 9
    answer = client.get("/v1/stats", headers=bearer(usual))
    assert answer.json["type"] == "/problems/too-many-requests"
    assert answer.json["detail"] == "the key 'usual' may send 5 requests a minute"
    assert 1 <= int(answer.headers["Retry-After"]) <= 12
    assert client.get("/healthz").status_code == 200


def test_a_bucket_fills_up_with_time() -> None:
    now = [0.0]
    rates = Rates(clock=lambda: now[0])

    assert [rates.take("a", 2) for _ in range(3)] == [0.0, 0.0, 30.0]
    now[0] = 15.0
    assert rates.take("a", 2) == 15.0
    now[0] = 30.0
    assert rates.take("a", 2) == 0.0
    now[0] = 1000.0
    assert [rates.take("a", 2) for _ in range(3)] == [0.0, 0.0, 30.0]
    assert rates.take("b", 2) == 0.0


@pytest.mark.parametrize(
    ("name", "rate"), [("", None), ("x" * 65, None), ("a\nb", None), ("a", -1)]
)
def test_a_key_that_cannot_be_is_refused(file: Path, name: str, rate: int | None) -> None:
    with pytest.raises(RequestError, match=r"a key's (name|rate) is"):
        add_key(file, name, "read", rate)
    assert not file.exists()
